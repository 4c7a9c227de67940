"""What the fault matrix stands on: real files in three layouts, ways to get them, and a client.

Replica and client go by one clock that stands still until it is moved; only back-offs and silences
take real time, and little of it.
"""

import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from structlog.testing import capture_logs

from render_farm.domain import grib2
from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.places import Box
from twf_async.errors import FetchError
from twf_async.fetch.fetched import HourFetched, HourWanted
from twf_async.fetch.fetcher import Fetcher
from twf_async.fetch.patience import Patience
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.mirror import MirrorOptions
from twf_async.replica.running import running
from twf_async.settings.service import FetchSettings, UpstreamSettings

COM = "pub/data/nccf/com"
GFS_FILE = f"{COM}/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
GFS_FIRST = f"{COM}/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f000"
HRRR_FILE = f"{COM}/hrrr/prod/hrrr.20260129/conus/hrrr.t17z.wrfsfcf06.grib2"
HRRR_FIRST = f"{COM}/hrrr/prod/hrrr.20260129/conus/hrrr.t17z.wrfsfcf01.grib2"
AIGFS_DIR = f"{COM}/aigfs/prod/aigfs.20260129/12/model/atmos/grib2"
WRITTEN = datetime(2026, 1, 29, 18, 30, tzinfo=UTC)  # all of them
NOW = WRITTEN + timedelta(hours=1)
PNW = Box(west=-126.0, east=-109.0, south=41.25, north=49.5)
CONUS = Box(west=-125.0, east=-66.0, south=24.0, north=50.0)
NOBODY = "http://127.0.0.1:9"  # nothing listens there
SILENCE_S = 0.5  # the client's patience with a silent connection, where a fault is a silence
ATTEMPTS = 3
SCALE = 0.0005  # of back-offs; not of the pause of a host


def _instants(*fields):
    split = (field.split(":") for field in fields)
    return frozenset(MessageKey(name, level, 6, 6, Statistic.INSTANT) for name, level in split)


@dataclass(frozen=True)
class Way:
    """A model's hour, and by which road it comes.

    nomads, mirror  whether they can be asked
    several         whether several byte ranges are asked for at once
    """

    name: str
    model: str
    cycle: str
    wanted: frozenset[MessageKey]
    box: Box
    nomads: bool = True
    mirror: bool = False
    several: bool = True

    def __str__(self):
        return self.name


_GFS = _instants("TMP:2 m above ground", "TMP:850 mb", "PRMSL:mean sea level")
_HRRR = _instants("REFC:entire atmosphere", "CSNOW:surface", "CRAIN:surface")
GFS = Way("GFS filter", "gfs", "2026012912", _GFS, PNW)
AIGFS = Way("AIGFS ranges", "aigfs", "2026012912", _GFS, PNW)
HRRR = Way("HRRR filter", "hrrr", "2026012917", _HRRR, PNW)
RANGES = Way("HRRR ranges", "hrrr", "2026012917", _HRRR, CONUS, several=False)
SEVERAL = Way("HRRR ranges at once", "hrrr", "2026012917", _HRRR, CONUS)
MIRROR = Way("AWS mirror", "gfs", "2026012912", _GFS, PNW, nomads=False, mirror=True)
BOTH = Way("HRRR ranges, mirrored", "hrrr", "2026012917", _HRRR, CONUS, mirror=True)


class HandClock:
    """A clock that stands until it is moved."""

    speed = 1.0

    def __init__(self, now=NOW):
        self._now = now

    def now(self):
        return self._now

    def real_seconds(self, seconds):
        return seconds

    def move(self, seconds):
        self._now += timedelta(seconds=seconds)


def lay_out(test_data: Path, root: Path) -> DirectoryTree:
    """GFS and HRRR as they are, AIGFS from GFS messages: two stretches in one file, one in two."""
    nomads = test_data / "nomads"
    gfs = (nomads / GFS_FILE).read_bytes()
    with (nomads / GFS_FILE).open("rb") as stream:
        messages = [(head.text, gfs[head.offset :][: head.length]) for head in grib2.walk(stream)]
    pressure = [content for text, content in messages if "850 mb" in text]
    files = {
        f"{AIGFS_DIR}/aigfs.t12z.pres.f006.grib2": b"".join(pressure),
        f"{AIGFS_DIR}/aigfs.t12z.sfc.f006.grib2": b"".join(
            content for _, content in messages if content not in pressure
        ),
    }
    for name in (GFS_FILE, GFS_FIRST, HRRR_FILE, HRRR_FIRST):
        files[name] = (nomads / name).read_bytes()
        files[f"{name}.idx"] = (nomads / f"{name}.idx").read_bytes()
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for path in root.rglob("*"):
        os.utime(path, (WRITTEN.timestamp(), WRITTEN.timestamp()))
    return DirectoryTree(root)


@dataclass(frozen=True)
class Got:
    """What became of asking for an hour once.

    fields  the bytes of every wanted field that was handed out
    hits    requests of this call, in order; logs: lines
    kept    names of the files in the cache, unfinished ones too
    """

    hour: HourFetched | None
    error: FetchError | None
    fields: dict[MessageKey, bytes]
    hits: list
    logs: list
    kept: list[str]

    def lines(self, event):
        return [line for line in self.logs if line["event"] == event]


class Client:
    """One fetcher against one replica."""

    def __init__(self, fetcher, replica, clock, cache, models):
        self.fetcher, self.replica, self.clock = fetcher, replica, clock
        self._cache, self._models = cache, models

    async def ask(self, way: Way, *, hour: int = 6, fields: bool = True) -> Got:
        """Ask for an hour once, as the pipeline does; without *fields* nothing of it is read."""
        keys = frozenset(replace(key, start_h=hour, end_h=hour) for key in way.wanted)
        wanted = HourWanted(self._models[way.model], way.cycle, hour, keys, way.box)
        before, brought, failure = len(self.replica.hits), None, None
        with capture_logs() as logs:
            try:
                async with asyncio.timeout(60):
                    brought = await self.fetcher.hour(wanted)
            except FetchError as error:
                failure = error
        kept = [path.name for path in self._cache.rglob("*") if path.is_file()]
        found = _fields(brought, keys) if brought and fields else {}
        return Got(brought, failure, found, self.replica.hits[before:], logs, sorted(kept))


class Bench:
    """Runs replicas of the laid out files, and clients of them. Knows what is true."""

    def __init__(self, tree, models, folder: Path):
        self._tree, self._models, self._folder = tree, models, folder
        self._truths: dict = {}
        self._number = 0

    @asynccontextmanager
    async def client(self, way, *faults, seed=0, later_s=0.0, lag_s=0.0, limits=None, **settings):
        """A replica and a client that both go by one clock."""
        clock = HandClock(NOW + timedelta(seconds=later_s))
        mirror = MirrorOptions(lag_s=lag_s) if way.mirror else None
        async with running(self._tree, *faults, seed=seed, clock=clock, mirror=mirror) as replica:
            if limits is not None:
                replica.play(*faults, **limits)
            async with self._fetcher(way, replica, clock, **settings) as (fetcher, cache):
                yield Client(fetcher, replica, clock, cache, self._models)

    @asynccontextmanager
    async def _fetcher(
        self, way, replica, clock, *, silence_s=10.0, throttle_s=600.0, after_min=15.0, full=False
    ):
        self._number += 1
        cache = self._folder / str(self._number)
        fetcher = Fetcher(
            UpstreamSettings(
                nomads_url=replica.url if way.nomads else NOBODY,
                aws_url=replica.mirror_url,
                multi_range=way.several,
                read_timeout_s=silence_s,
                fallback_after_min=after_min,
            ),
            FetchSettings(allow_full=full),
            cache_dir=cache,
            clock=clock,
            patience=Patience(
                attempts=ATTEMPTS,
                scale=SCALE,
                throttle_s=throttle_s / SCALE,
                throttle_max_s=2 * throttle_s / SCALE,
            ),
            requests_per_min=1e6,
        )
        await fetcher.start()
        try:
            yield fetcher, cache
        finally:
            await fetcher.stop()

    async def truth(self, way, *faults) -> Got:
        """What comes where nothing, or nothing but these lasting *faults*, goes wrong."""
        known = self._truths.get((way, faults))
        if known is None:
            async with self.client(way, *faults) as client:
                known = self._truths[way, faults] = await client.ask(way)
        return known


def _fields(hour: HourFetched, wanted):
    found = {}
    for path, told in hour.files:
        content = Path(path).read_bytes()
        with Path(path).open("rb") as stream:
            for head in grib2.walk(stream):
                if head.key in wanted and head.key in told:
                    found[head.key] = content[head.offset : head.offset + head.length]
    return found
