"""Whole runs of the real service against a replica, on a clock that runs fast.

    async with rehearsing(tmp_path, stage, context, Fault("reset", on=("filter",))) as rehearsal:
        await rehearsal.ended()
    rehearsal.shown["gfs", "2026012912"]["t2m", 6].digest

Everything is what runs in production: pollers, pipeline, fetcher, forkserver workers, ledger,
published tree. What is small is the weather: globes at 2.5 degrees, one region of 320x400 pixels.
"""

import asyncio
import hashlib
import json
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from tests.acquisition.redated import HRRR_SIZE, RedatedTree
from twf_async.app.assembly import Parts, assembled
from twf_async.app.desk import Desk
from twf_async.clock import Clock
from twf_async.fetch.patience import Patience
from twf_async.plan.runs import cycle_time
from twf_async.replica.faults.script import Fault, Script
from twf_async.replica.hits import Hit
from twf_async.replica.mirror import MirrorOptions
from twf_async.replica.release import PLANS, kept
from twf_async.replica.release_tree import ReleaseTree
from twf_async.replica.running import Replica, running
from twf_async.settings.load import load

REPOSITORY = Path(__file__).resolve().parents[2]
SPEED = 200.0
HOURS = "0-21/3"
SILENCE_S = 0.4  # the client's patience with a silent connection, real
LEAD = timedelta(minutes=2)  # from the beginning to the first hour of the first run
CLOSED = {"published", "failed", "not_applicable"}
PRODUCTS = {
    "gfs": ("t2m", "t850", "precip_total", "precip_6h", "snow_total"),
    "aigfs": ("t2m", "t850", "precip_total", "precip_6h"),
    "hrrr": ("t2m", "refc", "precip_total", "precip_6h"),
}
REGIONS = {"gfs": "west", "aigfs": "west", "hrrr": "puget_sound"}
COARSE_SIZE = "{ points = 10512, step_deg = 2.5 }"
# When a model's first hour appears, counted from its cycle.
FIRST = {plan.tree.partition("/")[0]: timedelta(seconds=plan.offset_s) for plan in PLANS}


@dataclass(frozen=True, slots=True)
class Stage:
    """What is rehearsed.

    cycles     model -> its runs, rising
    hours      of every run ("0-21/3"), or by model
    products   model -> keys; models that are not named have those of PRODUCTS
    settings   further environment ("TWF_FETCH__AHEAD_HOURS": "2")
    gives_up_min  from a run's first hour until what is not there is given up; None: as shipped
    mirror     None: there is only NOMADS
    """

    cycles: Mapping[str, Sequence[str]]
    hours: str | Mapping[str, str] = HOURS
    products: Mapping[str, Sequence[str]] = field(default_factory=dict)
    speed: float = SPEED
    gives_up_min: float | None = None
    mirror: MirrorOptions | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def begins(self) -> datetime:
        """Shortly before the first hour of the first run appears."""
        first = min(
            cycle_time(cycle) + FIRST[model]
            for model, cycles in self.cycles.items()
            for cycle in cycles
        )
        return first - LEAD

    def appears(self, model: str, cycle: str, hour: int) -> datetime:
        """When the replica shows an hour of a run, its `.idx` included."""
        plan = next(plan for plan in PLANS if plan.tree.startswith(f"{model}/"))
        return plan.complete(cycle_time(cycle), hour) + timedelta(seconds=max(0.0, plan.idx_lag_s))

    def environment(self, root: Path, replica: Replica) -> dict[str, str]:
        """The configuration that is shipped, made small and pointed at the replica."""
        environ = {
            "TWF_STATE_DIR": str(root / "state"),
            "TWF_CACHE_DIR": str(root / "cache"),
            "TWF_PUBLISH_DIR": str(root / "publish"),
            "TWF_UPSTREAM__NOMADS_URL": replica.url,
            "TWF_UPSTREAM__AWS_URL": replica.mirror_url,
            "TWF_UPSTREAM__REQUESTS_PER_MIN": "6000",
            "TWF_UPSTREAM__READ_TIMEOUT_S": str(SILENCE_S),
            "TWF_FARM__WORKERS": "2",
            "TWF_CLOCK__START": f"{self.begins:%Y-%m-%dT%H:%M:%SZ}",
            "TWF_CLOCK__SPEED": str(self.speed),
            "TWF_REGIONS__WEST__WIDTH_PX": "320",
            "TWF_REGIONS__WEST__HEIGHT_PX": "400",
            "TWF_REGIONS__PUGET_SOUND__WIDTH_PX": "320",
            "TWF_REGIONS__PUGET_SOUND__HEIGHT_PX": "400",
        }
        for model, products in PRODUCTS.items():
            ours = f"TWF_MODELS__{model.upper()}"
            environ |= {
                f"{ours}__ENABLED": str(model in self.cycles).lower(),
                f"{ours}__PRODUCTS": json.dumps(self.products.get(model, products)),
                f"{ours}__REGIONS": json.dumps([REGIONS[model]]),
                f"{ours}__GRID": HRRR_SIZE if model == "hrrr" else COARSE_SIZE,
            }
            hours = self.hours if isinstance(self.hours, str) else self.hours.get(model, HOURS)
            environ[f"{ours}__HOURS"] = hours
            if model == "hrrr":
                environ[f"{ours}__LONG_HOURS"] = hours
            if self.gives_up_min is not None:
                given_up = FIRST[model].total_seconds() / 60 + self.gives_up_min
                environ[f"{ours}__GIVES_UP_MIN"] = str(given_up)
                environ[f"{ours}__STALLS_MIN"] = str(self.gives_up_min / 3)
        return environ | dict(self.settings)


@dataclass(frozen=True, slots=True)
class Shown:
    """One frame as the manifest has it.

    digest  of picture and value grid, but for the names of the files that they were made from:
            a download in other portions makes the same frame. "" unless published
    """

    state: str
    reason: str
    detail: str
    digest: str


Frames = dict[tuple[str, int], Shown]  # product, hour


class Rehearsal:
    """A service and its other side, while they run and after."""

    def __init__(
        self, stage: Stage, replica: Replica, parts: Parts, desk: Desk, log: list[Any]
    ) -> None:
        self.stage, self.replica, self.parts, self.desk = stage, replica, parts, desk
        self.log: list[dict[str, Any]] = log
        self.shown: dict[tuple[str, str], Frames] = {}

    @property
    def hits(self) -> list[Hit]:
        """All requests so far."""
        return self.replica.hits

    def events(self, name: str, **facts: object) -> list[dict[str, Any]]:
        """Lines of the log of this name that say all of *facts*."""
        return [
            line for line in self.log if line["event"] == name and facts.items() <= line.items()
        ]

    async def ended(self, *, within_s: float = 90.0) -> None:
        """Wait until every run of the stage has ended; TimeoutError says which have not."""
        runs = {(model, cycle) for model, cycles in self.stage.cycles.items() for cycle in cycles}
        try:
            async with asyncio.timeout(within_s):
                while open_runs := {run for run in runs if not self.has_ended(*run)}:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise TimeoutError(f"not ended in {within_s} s: {sorted(open_runs)}") from None

    def has_ended(self, model: str, cycle: str) -> bool:
        """Whether a run is over, for better or worse."""
        tree = self.parts.tree
        known = cycle in tree.runs(model) and (model, cycle) not in self.desk.active_runs()
        return known and tree.summary(model, cycle)["state"] != "running"

    def frames(self, model: str, cycle: str) -> Frames:
        """What the manifest on disk says of a run."""
        root = self.parts.tree.root / "maps" / model / cycle
        manifest = json.loads((root / "manifest.json").read_text())
        return {
            (product, int(hour[1:])): Shown(
                record["state"],
                record.get("reason", ""),
                record.get("detail", ""),
                _digest(root / region / product / hour, record),
            )
            for region, products in manifest["frames"].items()
            for product, hours in products.items()
            for hour, record in hours.items()
        }


@asynccontextmanager
async def rehearsing(
    root: Path,
    test_data: Path,
    stage: Stage,
    context: BaseContext,
    *faults: Fault,
    script: Script | None = None,
    seed: int = 0,
    maps: Path | None = None,
) -> AsyncIterator[Rehearsal]:
    """Run the service until the block ends; then `shown` has every run's frames.

    root   an empty directory for its state
    maps   where pixel maps are kept for other rehearsals
    """
    _prepare(root, maps)
    clock = _Followed(stage.begins)
    tree = RedatedTree(test_data, stage.cycles)
    copied = ReleaseTree(tree, clock, kept(PLANS))
    async with AsyncExitStack() as stack:
        log = stack.enter_context(capture_logs())
        replica = await stack.enter_async_context(
            running(ReleaseTree(tree, clock), clock=clock, mirror=stage.mirror, mirror_tree=copied)
        )
        environ = stage.environment(root, replica)
        settings = load(REPOSITORY / "config", environ)
        patience = Patience(attempts=settings.service.fetch.attempts, scale=1.0 / stage.speed)
        parts = await stack.enter_async_context(
            assembled(lambda: settings, context, patience=patience)
        )
        clock.leader = parts.clock
        if script is not None:
            replica.director.play(script)
        else:
            replica.play(*faults, seed=seed)
        desk = Desk(parts.workshop)
        rehearsal = Rehearsal(stage, replica, parts, desk, log)
        await desk.start()
        try:
            yield rehearsal
            if desk.task.done():
                desk.task.result()
        finally:
            await desk.stop()
        for model, cycles in stage.cycles.items():
            for cycle in cycles:
                if cycle in parts.tree.runs(model):
                    await parts.tree.flush()
                    rehearsal.shown[model, cycle] = rehearsal.frames(model, cycle)


async def rehearsed(
    root: Path,
    test_data: Path,
    stage: Stage,
    context: BaseContext,
    *faults: Fault,
    script: Script | None = None,
    seed: int = 0,
    maps: Path | None = None,
    within_s: float = 90.0,
) -> Rehearsal:
    """One whole rehearsal, until every run of the stage has ended."""
    async with rehearsing(
        root, test_data, stage, context, *faults, script=script, seed=seed, maps=maps
    ) as rehearsal:
        await rehearsal.ended(within_s=within_s)
    return rehearsal


def _prepare(root: Path, maps: Path | None) -> None:
    cache = root / "cache"
    cache.mkdir(parents=True)
    if maps is not None:
        (cache / "pixelmaps").symlink_to(maps, target_is_directory=True)


class _Followed:
    """The service's clock, before there is a service: it stands until then."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self.leader: Clock | None = None

    def now(self) -> datetime:
        return self._start if self.leader is None else self.leader.now()


def _digest(path: Path, record: Mapping[str, Any]) -> str:
    if record["state"] != "published":
        return ""
    picture = path.with_suffix(".png").read_bytes()
    if not hashlib.sha256(picture).hexdigest().startswith(record["hash"]):
        raise AssertionError(f"{path}: not the picture that the manifest says")
    values = path.with_suffix(".vgrid").read_bytes()
    if not hashlib.sha256(values).hexdigest().startswith(record["values"]["hash"]):
        raise AssertionError(f"{path}: not the values that the manifest says")
    whole = hashlib.sha256()
    for kind, body in _chunks(picture):
        if not (kind == b"tEXt" and body.startswith(b"Source\0")):
            whole.update(kind + body)
    whole.update(values)
    return whole.hexdigest()[:16]


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    return found
