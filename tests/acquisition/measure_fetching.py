"""The process whose memory is measured: it fetches 85 hours and does nothing else.

`python -m tests.acquisition.measure_fetching URL CACHE_DIR CONFIG_DIR` prints megabytes as JSON:
resident before, at the most and after, and what was received. Loads no array library.
"""

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path

import psutil
import uvloop

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.places import Box
from twf_async.clock import Clock
from twf_async.fetch.fetched import HourWanted
from twf_async.fetch.fetcher import Fetcher
from twf_async.settings.load import load
from twf_async.settings.service import UpstreamSettings

CYCLE = "2026012912"
HOURS = (*range(0, 121, 3), *range(126, 385, 6))
WEST = Box(west=-125.0, east=-102.0, south=31.0, north=49.0)
FIELDS = ("PRMSL:mean sea level", *(f"{name}:850 mb" for name in ("HGT", "TMP", "UGRD", "VGRD")))
_AT_ONCE = 2
_SAMPLE_S = 0.01


async def fetch_all(url: str, cache_dir: Path, config_dir: Path) -> dict[str, float]:
    """Fetch all hours as the service does, two at once, and watch this process."""
    model = load(config_dir, {}).catalog.models["gfs"]
    files = tuple(file.model_copy(update={"filter": ""}) for file in model.files)
    grid = model.grid.model_copy(update={"points": 10_512, "step_deg": 2.5}) if model.grid else None
    model = model.model_copy(update={"files": files, "grid": grid})
    settings = load(config_dir, {}).service
    fetcher = Fetcher(
        UpstreamSettings(nomads_url=url, aws_url=""),
        settings.fetch,
        cache_dir=cache_dir,
        clock=Clock(datetime.fromisoformat("2026-01-29T20:00:00+00:00")),
        requests_per_min=1e5,
    )
    await fetcher.start()
    samples: list[float] = []
    watch = asyncio.create_task(_watch(samples))
    before = _resident_mb()
    received = 0
    left = list(HOURS)

    async def work() -> None:
        nonlocal received
        while left:
            hour = left.pop(0)
            keys = frozenset(
                MessageKey(*field.split(":"), hour, hour, Statistic.INSTANT) for field in FIELDS
            )
            got = await fetcher.hour(HourWanted(model, CYCLE, hour, keys, WEST))
            if got.missing:
                raise RuntimeError(f"hour {hour} lacks {sorted(got.missing)}")
            received += got.bytes

    try:
        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    finally:
        watch.cancel()
        await fetcher.stop()
    return {
        "before": before,
        "most": max(samples),
        "after": _resident_mb(),
        "received": received / 1e6,
    }


async def _watch(samples: list[float]) -> None:
    while True:
        samples.append(_resident_mb())
        await asyncio.sleep(_SAMPLE_S)


def _resident_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


if __name__ == "__main__":
    where, cache, config = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(fetch_all(where, Path(cache), Path(config)))
    sys.stdout.write(json.dumps(found) + "\n")
