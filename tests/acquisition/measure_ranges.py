"""What an hour in byte ranges costs in requests and bytes: one range a request, or several at once.

From real inventories what would be asked for; and beside the synthetic atmosphere, whose files are
laid out as the models', what the fetcher asks for, all products over the whole country.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from structlog.testing import capture_logs

from tests.acquisition.measure_bytes import BOXES, FILES
from tests.acquisition.measure_service import Following, running_replica
from twf_async.clock import Clock
from twf_async.fetch.fetched import HourWanted
from twf_async.fetch.fetcher import Fetcher
from twf_async.plan.idx import parse_idx
from twf_async.plan.orders import products_of, wanted_by_hour
from twf_async.plan.ranges import RANGES_AT_ONCE
from twf_async.plan.selection import select
from twf_async.settings.catalog import Catalog
from twf_async.settings.load import load
from twf_async.settings.service import FetchSettings, UpstreamSettings

CYCLE = "2026012912"
HOURS = {"aigfs": (6, 12), "hrrr": (1, 2)}
LATER = datetime(2026, 1, 30, 6, tzinfo=UTC)  # all of the run is there


@dataclass(frozen=True, slots=True)
class Cost:
    """Of an hour."""

    requests: float
    megabytes: float


def planned(test_data: Path, catalog: Catalog) -> Iterator[tuple[str, Cost, Cost]]:
    """Each HRRR inventory over the country: its name, one range a request, several at once.

    Without the request for the inventory.
    """
    for (key, hour), name in FILES.items():
        path = test_data / "idx" / name
        if key != "hrrr" or not path.exists():
            continue
        lines = parse_idx(path.read_text())
        model = catalog.models[key]
        ordered = wanted_by_hour(model, products_of(catalog, model), sorted({*model.hours, hour}))
        wanted = frozenset(ordered[hour])
        one, several = (
            select(lines, wanted, box=BOXES["conus"], grid=model.grid, several=at_once)
            for at_once in (False, True)
        )
        yield (
            f"{key} f{hour:02d} conus",
            Cost(len(one.ranges), one.estimated_bytes / 1e6),
            Cost(-(-len(several.ranges) // RANGES_AT_ONCE), several.estimated_bytes / 1e6),
        )


async def fetched(root: Path, config: Path) -> dict[tuple[str, bool], Cost]:
    """(model, several at once) -> what an hour costs, inventories included.

    root    an empty directory
    """
    how, catalog = Following(1.0, 60, LATER, ""), load(config, {}).catalog
    found = {}
    async with running_replica(root, how, root / "hits.jsonl", root / "synthetic") as url:
        with capture_logs():
            for several in (False, True):
                async with _fetcher(root / f"cache-{several}", url, several=several) as fetcher:
                    for model in HOURS:
                        found[model, several] = await _fetch(fetcher, model, catalog)
    return found


async def _fetch(fetcher: Fetcher, key: str, catalog: Catalog) -> Cost:
    model = catalog.models[key]
    files = tuple(file.model_copy(update={"filter": ""}) for file in model.files)
    model = model.model_copy(update={"files": files, "grid": None})
    wanted = wanted_by_hour(model, products_of(catalog, model), sorted(model.hours))
    requests = received = 0
    for hour in HOURS[key]:
        keys = frozenset(wanted[hour])
        got = await fetcher.hour(HourWanted(model, CYCLE, hour, keys, BOXES["conus"]))
        requests += got.requests
        received += got.bytes
    return Cost(requests / len(HOURS[key]), received / 1e6 / len(HOURS[key]))


@asynccontextmanager
async def _fetcher(cache: Path, url: str, *, several: bool) -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(
        UpstreamSettings(nomads_url=url, aws_url="", multi_range=several),
        FetchSettings(),
        cache_dir=cache,
        clock=Clock(LATER),
        requests_per_min=1e5,
    )
    await fetcher.start()
    try:
        yield fetcher
    finally:
        await fetcher.stop()
