"""How long hours take from their `.idx` to their maps, at the real cadence of GFS and HRRR.

The service as it is shipped (`serve`, all products, the regions of config/) beside the replica with
the synthetic atmosphere, both by the real time: a GFS run and an HRRR run begin shortly after the
start and come hour by hour. The run before each is caught up with first and does not count. The
ledger knows the arrivals of earlier runs, as that of a service which has run for days does; runs
and the hours within them come with the irregularity that is asked for.
"""

import asyncio
import os
import random
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path

import aiohttp
import orjson

from tests.acquisition.measure_manners import hour_of
from twf_async.clock import Clock
from twf_async.ledger.entries import ArrivalEntry, FreshnessEntry
from twf_async.ledger.ledger import Ledger
from twf_async.plan.runs import cycle_name
from twf_async.plan.timetable import RUNS_LEARNED_FROM
from twf_async.replica.atmosphere.synthetic_tree import SyntheticTree
from twf_async.replica.hits import Hit
from twf_async.replica.manners import busiest
from twf_async.replica.release import PLANS, ReleasePlan
from twf_async.replica.release_tree import ReleaseTree
from twf_async.replica.running import running

LEAD_S = 60.0  # to start, and to look out for the run ...
CAUGHT_UP_S = 5.0  # ... after each hour of the run before: four requests at 60 a minute, and drawn
EVERY_H = {"gfs": 6, "hrrr": 1}
LATE_S = 240.0  # a run begins up to so much later than another
_NEVER = timedelta(days=365)
_SLACK_S = 120.0
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Price:
    """What following a run has cost.

    requests  for the run's hours, all of them
    vain      those that came before the hour did
    """

    requests: int
    vain: int


@dataclass(frozen=True, slots=True)
class Followed:
    """What was measured.

    entries  of the service's own ledger
    served   (model, hour) -> when the last of its frames was told to a listener
    hours    that were to come, by model
    prices   by model
    busiest  requests in the busiest minute
    """

    entries: tuple[FreshnessEntry, ...]
    served: Mapping[tuple[str, int], datetime]
    hours: Mapping[str, int]
    prices: Mapping[str, Price]
    busiest: int


@dataclass(frozen=True, slots=True)
class Irregular(ReleasePlan):
    """A plan of which one run is measured, the one before it is whole, and no other is there.

    noise   of the time from one file to the next: standard deviation, share of what it usually is
    file_s  from one file to the next; None: what it usually is. Less than that leaves out time in
            which nothing happens; by how many seconds files come early or late stays what it is
    """

    cycle: datetime = _LAST
    noise: float = 0.0
    file_s: float | None = None
    every_h: int = 1

    def complete(self, cycle: datetime, hour: int) -> datetime:
        """Return when the file of *hour* is complete, in whole seconds."""
        if cycle == self.cycle:
            return cycle + timedelta(seconds=round(self.after_s(cycle, hour)))
        regular = ReleasePlan.complete(self, cycle, hour)
        is_before = cycle == self.cycle - timedelta(hours=self.every_h)
        return regular if is_before else regular + _NEVER

    def after_s(self, cycle: datetime, hour: int) -> float:
        """Seconds from the cycle to *hour*, in the run's own irregular way."""
        chance = random.Random(f"{self.tree} {cycle_name(cycle)}")
        usual_s = self.cadence[0].file_s
        mean_s = self.file_s or usual_s
        steps = (chance.gauss(mean_s, self.noise * usual_s) for _ in range(hour))
        return self.offset_s + sum(max(1.0, step) for step in steps)


def _plan(model: str, at: datetime, noise: float, file_s: float | None) -> Irregular:
    """The model's plan with a run that begins at *at*."""
    plan = next(plan for plan in PLANS if plan.tree.startswith(f"{model}/"))
    early = at - timedelta(minutes=30)
    cycle = early.replace(minute=0, second=0, microsecond=0)
    cycle -= timedelta(hours=cycle.hour % EVERY_H[model])
    names = ("tree", "file", "write_s", "idx_lag_s", "keep_days", "short_h", "cadence")
    return Irregular(
        **{name: getattr(plan, name) for name in names},
        offset_s=(at - cycle) / timedelta(seconds=1),
        cycle=cycle,
        noise=noise,
        file_s=file_s,
        every_h=EVERY_H[model],
    )


async def followed(
    root: Path,
    config: Path,
    hours: Mapping[str, Sequence[int]],
    *,
    noise: float,
    file_s: Mapping[str, float],
) -> Followed:
    """Measure.

    root    an empty directory
    hours   of each model that is followed, rising
    file_s  model -> seconds from one of its files to the next, where not as usual
    """
    lead = timedelta(seconds=LEAD_S + CAUGHT_UP_S * sum(map(len, hours.values())))
    at = datetime.now(UTC).replace(microsecond=0) + lead
    plans = {model: _plan(model, at, noise, file_s.get(model)) for model in hours}
    await _teach(root / "state", plans, hours)
    clock = Clock()
    tree = ReleaseTree(SyntheticTree(clock, root / "synthetic"), clock, tuple(plans.values()))
    last = max(plan.complete(plan.cycle, hours[model][-1]) for model, plan in plans.items())
    within_s = (last - at + lead).total_seconds() + _SLACK_S
    async with running(tree, clock=clock) as replica:
        environ = _environment(root, plans, hours, replica.url)
        async with _serve(root, config, environ) as port:
            served = await _listen(port, plans, hours, within_s)
    ledger = Ledger(root / "state" / "ledger.sqlite")
    await ledger.start()
    entries = await ledger.freshness(at)
    await ledger.stop()
    return Followed(
        entries,
        served,
        {model: len(each) for model, each in hours.items()},
        {model: _price(replica.hits, model, plan.cycle) for model, plan in plans.items()},
        busiest([hit for hit in replica.hits if datetime.fromisoformat(hit.time) > at]),
    )


def _price(hits: Sequence[Hit], model: str, cycle: datetime) -> Price:
    mine = [hit for hit in hits if hour_of(hit)[:2] == (model, cycle_name(cycle))]
    return Price(len(mine), sum(hit.status == HTTPStatus.NOT_FOUND for hit in mine))


async def _teach(
    state: Path, plans: Mapping[str, Irregular], hours: Mapping[str, Sequence[int]]
) -> None:
    """Note when the hours of earlier runs came."""
    ledger = Ledger(state / "ledger.sqlite")
    await ledger.start()
    for model, plan in plans.items():
        for number in range(1, RUNS_LEARNED_FROM + 1):
            cycle = plan.cycle - timedelta(hours=number * plan.every_h)
            late_s = random.Random(number).uniform(-LATE_S / 2, LATE_S / 2)
            name = cycle_name(cycle)
            seconds = {h: late_s + plan.after_s(cycle, h) + plan.idx_lag_s for h in hours[model]}
            await ledger.record_arrivals(
                ArrivalEntry(model, name, hour, cycle + timedelta(seconds=round(after_s)))
                for hour, after_s in seconds.items()
            )
    await ledger.stop()


def _environment(
    root: Path, plans: Mapping[str, Irregular], hours: Mapping[str, Sequence[int]], url: str
) -> dict[str, str]:
    environ = {
        "TWF_UPSTREAM__NOMADS_URL": url,
        "TWF_STATE_DIR": str(root / "state"),
        "TWF_CACHE_DIR": str(root / "cache"),
        "TWF_PUBLISH_DIR": str(root / "publish"),
    }
    environ |= {
        f"TWF_MODELS__{model.upper()}__ENABLED": "false"
        for model in ("gfs", "aigfs", "hrrr")
        if model not in plans
    }
    for model, plan in plans.items():
        ours, steps = f"TWF_MODELS__{model.upper()}", hours[model]
        step = next((b - a for a, b in pairwise(steps)), 1)
        usual_min = plan.offset_s / 60
        environ |= {
            f"{ours}__HOURS": f"{steps[0]}-{steps[-1]}/{step}",
            f"{ours}__FIRST_HOUR_MIN": f"{usual_min:.1f}",
            f"{ours}__GIVES_UP_MIN": f"{usual_min + 180:.1f}",
        }
        if model == "hrrr":
            environ[f"{ours}__LONG_HOURS"] = environ[f"{ours}__HOURS"]
    return environ


@asynccontextmanager
async def _serve(root: Path, config: Path, environ: Mapping[str, str]) -> AsyncIterator[int]:
    """The service until the block ends; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with (root / "serve.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "twf_async", "serve", "--config", str(config)),
            env={**os.environ, **environ, "TWF_WEB__PORT": str(port)},
            stderr=log,
            stdout=subprocess.DEVNULL,
        )
    try:
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _listen(
    port: int,
    plans: Mapping[str, Irregular],
    hours: Mapping[str, Sequence[int]],
    within_s: float,
) -> dict[tuple[str, int], datetime]:
    """When a listener heard of the last frame of each hour of the runs that are measured."""
    served: dict[tuple[str, int], datetime] = {}
    to_end = {(model, cycle_name(plan.cycle)) for model, plan in plans.items()}
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=timeout) as session:
        async with asyncio.timeout(60.0):
            await _answers(session)
        try:
            async with asyncio.timeout(within_s), session.get("/api/v1/events") as stream:
                name = ""
                async for line in stream.content:
                    kind, _, text = line.decode().strip().partition(": ")
                    name = text if kind == "event" else name
                    if kind != "data":
                        continue
                    data = orjson.loads(text)
                    run = (data.get("model"), data.get("cycle"))
                    if name == "frame.published" and run in to_end:
                        served[data["model"], data["hour"]] = datetime.now(UTC)
                    if name == "run.complete":
                        to_end.discard(run)
                    if not to_end:
                        break
        except TimeoutError:
            sys.stderr.write(f"runs that did not end: {sorted(to_end)}\n")
    return served


async def _answers(session: aiohttp.ClientSession) -> None:
    while True:
        try:
            async with session.get("/healthz"):
                return
        except aiohttp.ClientError:
            await asyncio.sleep(0.2)
