"""A workshop with a real tree and ledger, a scripted other side and a small real renderer."""

import asyncio
import hashlib
import json
import os
import struct
import zlib
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from render_farm.domain.jobs import (
    Frame,
    FrameFailure,
    HourFailed,
    HourRendered,
    MessageSource,
    ProductTask,
    Reason,
    RegionView,
    RenderJob,
)
from render_farm.domain.models import Model
from render_farm.domain.places import Box, Region
from render_farm.domain.products import Product
from render_farm.render.provenance import config_hash
from twf_async.clock import Clock
from twf_async.fetch.distrust import Distrusted
from twf_async.fetch.errors import NotYetPublished
from twf_async.fetch.fetched import Appearance, HourFetched, HourWanted
from twf_async.fetch.record import covers
from twf_async.ledger.ledger import Ledger
from twf_async.pipeline.gate import DispatchGate
from twf_async.pipeline.ports import Workshop
from twf_async.publish.events import EventBus
from twf_async.publish.tree import PublishedTree
from twf_async.settings.catalog import Catalog
from twf_async.settings.load import Settings
from twf_async.settings.service import ServiceSettings

CYCLE = "2026012912"
PRODUCTS = {
    "t2m": {"value": "TMP:2 m above ground"},
    "total": {"value": "APCP:surface:0-H acc"},
    "snow": {"amount": "APCP:surface:buckets acc", "snow": "CSNOW:surface:buckets ave"},
    "typed": {"value": "REFC:entire atmosphere", "rain": "CRAIN:surface"},
}

RECIPES = {"snow": "snow_from_buckets", "typed": "reflectivity_by_type"}


def catalog(**model_changes) -> Catalog:
    scale = {
        "key": "plain",
        "title": "Plain",
        "si_unit": "K",
        "imperial": {"unit": "K", "levels": [0, 1], "colours": ["#000000"]},
        "metric": {"unit": "K", "levels": [0, 1], "colours": ["#000000"]},
    }
    regions = {
        key: {
            "key": key,
            "title": key,
            "west": west,
            "east": west + 15,
            "south": 42,
            "north": 49,
            "projection": "mercator",
            "central_longitude": west + 7,
        }
        for key, west in {"pnw": -125.0, "ne": -80.0}.items()
    }
    model = {
        "key": "gfs",
        "title": "GFS",
        "long_title": "Global",
        "cycles": [0, 6, 12, 18],
        "hours": "0-12/3",
        "bucket_h": 6,
        "first_hour_min": 205,
        "gives_up_min": 360,
        "poll_s": 30,
        "files": [{"path": "x.{date}.{cc}.f{hour:03d}"}],
        "products": list(PRODUCTS),
        "regions": list(regions),
    } | model_changes
    products = {
        key: {
            "key": key,
            "title": key,
            "recipe": RECIPES.get(key, "identity"),
            "fields": fields,
            "scales": {"fill": "plain"},
            "optional": ["rain"] if key == "typed" else [],
        }
        for key, fields in PRODUCTS.items()
    }
    return Catalog.model_validate(
        {
            "models": {"gfs": model},
            "regions": regions,
            "products": products,
            "scales": {"plain": scale},
        }
    )


def tiny_png(text: str) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", 2, 1, 8, 0, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", head),
            chunk(b"tEXt", b"what\0" + text.encode()),
            chunk(b"IDAT", zlib.compress(b"\0ab")),
            chunk(b"IEND", b""),
        ]
    )


@dataclass
class ScriptedFetcher:
    """Has what the script says; writes a small file per hour, as the real one does."""

    folder: Path
    cycles: set[str] = field(default_factory=lambda: {CYCLE})
    hours: set[int] | None = None  # None: all of them
    absent_keys: set[str] = field(default_factory=set)  # str(MessageKey)
    faults: dict[int, list[Exception]] = field(default_factory=dict)
    looked: list[tuple[str, int]] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)
    modified: dict[int, datetime] = field(default_factory=dict)
    editions: dict[int, str] = field(default_factory=dict)  # hour -> digest of its inventory
    forgotten: list[int] = field(default_factory=list)
    distrusted: list[tuple[int, frozenset[str]]] = field(default_factory=list)
    verdicts: list[Distrusted] = field(default_factory=list)
    wanted: dict[int, HourWanted] = field(default_factory=dict)
    arrival: asyncio.Event = field(default_factory=asyncio.Event)
    busy: int = 0
    most_busy: int = 0

    async def cached(self, wanted: HourWanted) -> dict:
        path = self.folder / f"{wanted.model.key}.{wanted.cycle}.f{wanted.hour:03d}.grib2"
        if not path.is_file():
            return {}
        holds = json.loads(path.read_bytes())
        if not covers(Box.model_validate(holds["box"]), wanted.box):
            return {}
        return {key: str(path) for key in wanted.keys if str(key) in holds["keys"]}

    async def newest_cycle(self, model: Model) -> str | None:
        return max(self.cycles, default=None)

    async def appeared(self, model: Model, cycle: str, hour: int, *, anew=False) -> Appearance:
        self.looked.append((cycle, hour))
        await asyncio.sleep(0)
        there = cycle in self.cycles and (self.hours is None or hour in self.hours)
        if not there:
            raise NotYetPublished(f"hour {hour} is not there")
        return Appearance("nomads", self.modified.get(hour), self.editions.get(hour, "first"))

    async def forget(self, model: Model, cycle: str, hour: int) -> None:
        self.forgotten.append(hour)

    async def distrust(self, model: Model, cycle: str, hour: int, keys) -> Distrusted:
        self.distrusted.append((hour, frozenset(map(str, keys))))
        return self.verdicts.pop(0) if self.verdicts else Distrusted(0.0)

    async def hour(self, wanted: HourWanted) -> HourFetched:
        self.asked.append((wanted.cycle, wanted.hour))
        self.wanted[wanted.hour] = wanted
        self.busy += 1
        self.most_busy = max(self.busy, self.most_busy)
        await asyncio.sleep(0)
        self.busy -= 1
        if self.faults.get(wanted.hour):
            raise self.faults[wanted.hour].pop(0)
        if self.hours is not None and wanted.hour not in self.hours:
            raise NotYetPublished(f"hour {wanted.hour} is not there")
        missing = frozenset(key for key in wanted.keys if str(key) in self.absent_keys)
        path = self.folder / f"{wanted.model.key}.{wanted.cycle}.f{wanted.hour:03d}.grib2"
        keys = tuple(sorted(wanted.keys - missing))
        holds = {"box": wanted.box.model_dump(), "keys": list(map(str, keys))}
        path.write_text(json.dumps(holds))
        return HourFetched(
            wanted.model.key,
            wanted.cycle,
            wanted.hour,
            ((str(path), keys),),
            missing,
            "FILTERED",
            "nomads",
            4,
            1,
            0.1,
            None,
        )


@dataclass
class SmallRenderer:
    """Draws a small real PNG for every frame, in a thread, as a worker process would."""

    jobs: list[RenderJob] = field(default_factory=list)
    begun: list[RenderJob] = field(default_factory=list)
    failing: dict[tuple[str, str], Reason] = field(default_factory=dict)
    lost_hours: set[int] = field(default_factory=set)
    spoilt: Counter = field(default_factory=Counter)  # (file's hour, parameter) -> how often yet
    drawn: Counter = field(default_factory=Counter)
    places: asyncio.Semaphore | None = None  # of workers: a job begins once it has one
    allowed: asyncio.Semaphore | None = None  # a job that has begun ends once it may
    started: asyncio.Event = field(default_factory=asyncio.Event)

    async def region_views(self, regions: tuple[Region, ...]) -> tuple[RegionView, ...]:
        return tuple(
            RegionView(r.key, Box(west=r.west - 1, east=r.east + 1, south=r.south, north=r.north))
            for r in regions
        )

    async def render(self, job: RenderJob, *, begun=lambda: None) -> HourRendered | HourFailed:
        self.jobs.append(job)
        if self.places is not None:
            await self.places.acquire()
        self.started.set()
        self.begun.append(job)
        begun()
        if self.allowed is not None:
            await self.allowed.acquire()
        return await asyncio.to_thread(self._draw, job)

    def _draw(self, job: RenderJob) -> HourRendered | HourFailed:
        if job.hour in self.lost_hours:
            return HourFailed(job.model, job.cycle, job.hour, Reason.WORKER_DIED, "signal 9")
        frames, failures = [], []
        for task in job.tasks:
            assert all(Path(s.path).is_file() for sources in task.inputs.values() for s in sources)
            bad = self._bad(task)
            for region in task.regions:
                name = (region, task.product.key)
                if bad:
                    why = "values that cannot be"
                    failures.append(FrameFailure(*name, Reason.BAD_DATA, why, bad))
                    continue
                if name in self.failing:
                    failures.append(FrameFailure(*name, self.failing[name], "as told"))
                    continue
                content = tiny_png(f"{job.cycle} {job.hour} {name}")
                path = Path(job.staging_dir) / f"{region}.{task.product.key}.png"
                with path.open("wb") as stream:
                    stream.write(content)
                    os.fsync(stream.fileno())
                digest = hashlib.sha256(content).hexdigest()
                (place,) = (each for each in job.regions if each.key == region)
                frames.append(
                    Frame(
                        *name,
                        *(str(path), len(content), digest, 2, 1, 0.01),
                        config_hash=config_hash(job, task, place),
                    )
                )
                self.drawn[job.cycle, job.hour, *name] += 1
        return HourRendered(
            job.model, job.cycle, job.hour, tuple(frames), tuple(failures), 0.1, 0.2, 90.0, 1
        )

    def _bad(self, task: ProductTask) -> tuple[MessageSource, ...]:
        sources = {source for sources in task.inputs.values() for source in sources}
        bad = [s for s in sources if self.spoilt[s.key.end_h, s.key.parameter] > 0]
        for source in bad:
            self.spoilt[source.key.end_h, source.key.parameter] -= 1
        return tuple(bad)


@dataclass
class Bench:
    """The workshop and its scripted neighbours."""

    shop: Workshop
    fetcher: ScriptedFetcher
    renderer: SmallRenderer

    @property
    def tree(self) -> PublishedTree:
        return self.shop.tree


@pytest.fixture
def open_bench(tmp_path):
    """`async with open_bench(...) as bench`; again on the same directory is a restart."""

    @asynccontextmanager
    async def opening(
        *, clock: Clock | None = None, service: dict | None = None, products=None, **model
    ):
        if products is not None:
            model["products"] = products
        settings = Settings(ServiceSettings(**(service or {})), catalog(**model), tmp_path)
        clock = clock or Clock()
        tree = PublishedTree(tmp_path / "publish", clock=clock, write_every_s=0.01)
        ledger = Ledger(tmp_path / "state" / "ledger.sqlite", clock=clock)
        (tmp_path / "cache").mkdir(exist_ok=True)
        fetcher, renderer = ScriptedFetcher(tmp_path / "cache"), SmallRenderer()
        await tree.start()
        await ledger.start()
        shop = Workshop(
            settings=lambda: settings,
            fetcher=fetcher,
            renderer=renderer,
            tree=tree,
            ledger=ledger,
            events=EventBus(),
            gate=DispatchGate(),
            clock=clock,
            map_cache_dir=tmp_path / "maps",
        )
        try:
            yield Bench(shop, fetcher, renderer)
        finally:
            await tree.stop()
            await ledger.stop()

    return opening


@pytest.fixture
def product() -> Product:
    return catalog().products["t2m"]
