"""The service as it is shipped, GFS alone with all its products, beside the synthetic atmosphere.

Both are the programs of the command line; what is judged is one run, from the first look for it to
its last hour. The run before it is caught up with first and does not count.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from tests.acquisition.measure_manners import hour_of, sight_to_file
from twf_async.replica.hits import Hit

CYCLE = "2026012912"
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Following:
    """How a run is followed.

    begins   by the clock; before the run's first hour, which comes at 15:25
    hours    of every run
    """

    speed: float
    per_min: int
    begins: datetime
    hours: str
    within_s: float = 400.0


@dataclass(frozen=True, slots=True)
class Followed:
    """hits: of the run that is judged. sight_to_file_s: of its hours, rising."""

    hits: tuple[Hit, ...]
    all_hits: tuple[Hit, ...]
    hours: int
    sight_to_file_s: tuple[float, ...]

    @property
    def per_hour(self) -> float:
        """Requests for each published hour, looks in vain and second looks included."""
        return len(self.hits) / self.hours

    @property
    def filtered_per_hour(self) -> float:
        """Of them those that brought fields."""
        brought = [hit for hit in self.hits if hit.path.startswith("/cgi-bin/")]
        return len(brought) / self.hours

    @property
    def in_vain(self) -> int:
        """Looks that found nothing."""
        return sum(hit.status == 404 for hit in self.hits)


async def followed(root: Path, how: Following, models_cache: Path) -> Followed:
    """Run replica and service until the run of CYCLE has ended. root: an empty directory."""
    log = root / "hits.jsonl"
    async with running_replica(root, how, log, models_cache) as url:
        with _program(root / "serve.log", ["serve"], _environment(root, how, url)) as service:
            manifest = root / "publish/maps/gfs" / CYCLE / "manifest.json"
            async with asyncio.timeout(how.within_s):
                while not _ended(manifest):
                    if service.poll() is not None:
                        raise RuntimeError(f"the service ended: {root / 'serve.log'}")
                    await asyncio.sleep(_POLL_S)
    every = tuple(Hit(**orjson.loads(line)) for line in log.read_bytes().splitlines())
    hits = tuple(hit for hit in every if hour_of(hit)[:2] == ("gfs", CYCLE))
    hours = {
        name
        for products in orjson.loads(manifest.read_bytes())["frames"].values()
        for frames in products.values()
        for name, frame in frames.items()
        if frame["state"] == "published"
    }
    times = sight_to_file(root / "cache/grib", "gfs", hits)
    return Followed(hits, every, len(hours), tuple(sorted(done - seen for seen, done in times)))


def _ended(manifest: Path) -> bool:
    return manifest.exists() and orjson.loads(manifest.read_bytes())["state"] != "running"


def _environment(root: Path, how: Following, url: str) -> dict[str, str]:
    return {
        "TWF_UPSTREAM__NOMADS_URL": url,
        "TWF_UPSTREAM__REQUESTS_PER_MIN": str(how.per_min),
        "TWF_STATE_DIR": str(root / "state"),
        "TWF_CACHE_DIR": str(root / "cache"),
        "TWF_PUBLISH_DIR": str(root / "publish"),
        "TWF_CLOCK__START": f"{how.begins:%Y-%m-%dT%H:%M:%SZ}",
        "TWF_CLOCK__SPEED": str(how.speed),
        "TWF_WEB__PORT": "0",
        # Small pictures: not drawing is measured, and it must not hold up what is.
        "TWF_REGIONS__PNW__WIDTH_PX": "400",
        "TWF_REGIONS__PNW__HEIGHT_PX": "320",
        "TWF_MODELS__GFS__HOURS": how.hours,
        "TWF_MODELS__AIGFS__ENABLED": "false",
        "TWF_MODELS__HRRR__ENABLED": "false",
    }


@asynccontextmanager
async def running_replica(root: Path, how: Following, log: Path, cache: Path) -> AsyncIterator[str]:
    """The synthetic atmosphere at a URL, until the block ends."""
    arguments = ["replica", "--demo", "--port", "0", "--hits", str(log), "--cache-dir", str(cache)]
    arguments += ["--start", f"{how.begins:%Y-%m-%dT%H:%M:%S}", "--speed", str(how.speed)]
    out = root / "replica.out"
    with _program(root / "replica.log", arguments, {}, out) as replica:
        async with asyncio.timeout(30.0):
            while not (told := out.read_text().split()):
                if replica.poll() is not None:
                    raise RuntimeError(f"the replica ended: {root / 'replica.log'}")
                await asyncio.sleep(0.1)
        yield told[0]


@contextmanager
def _program(
    log: Path, arguments: list[str], environment: dict[str, str], out: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """`twf-async` with these arguments, until the block ends."""
    with log.open("wb") as errors, (out or Path(os.devnull)).open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "twf_async", *arguments],
            env={**os.environ, **environment},
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30.0)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
