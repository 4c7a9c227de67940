"""What NOMADS can do wrong to one hour, and that the hour arrives all the same, byte for byte.

A row: the fault (docs/replica.md) and the kind of request whose first one it befalls. The truth is
what the same source gives when nothing goes wrong.
"""

import asyncio
from datetime import UTC, datetime

import pytest

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.places import Box
from twf_async.clock import Clock
from twf_async.errors import FetchError
from twf_async.fetch.fetched import HourWanted
from twf_async.fetch.fetcher import Fetcher
from twf_async.fetch.patience import Patience
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.faults.script import Fault
from twf_async.replica.running import running
from twf_async.settings.load import load
from twf_async.settings.service import FetchSettings, UpstreamSettings

CYCLE = "2026012912"
PNW = Box(west=-126.0, east=-109.0, south=41.25, north=49.5)
WANTED = frozenset(
    MessageKey(name, level, 6, 6, Statistic.INSTANT)
    for name, level in (("TMP", "2 m above ground"), ("TMP", "850 mb"), ("PRMSL", "mean sea level"))
)
SILENCE_S = 0.5  # the client's patience with a silent connection; a fault's silence is longer

MATRIX = [
    ("status", "filter"),
    ("disconnect", "filter"),
    ("reset", "filter"),
    ("cut_chunked", "filter"),
    ("bad_chunk", "filter"),
    ("http10_short", "filter"),
    ("short", "filter"),
    ("empty_200", "filter"),
    ("html_200", "filter"),
    ("truncate_boundary", "filter"),
    ("truncate_inside", "filter"),
    ("drop_message", "filter"),
    ("hang", "filter"),
    ("stall", "filter"),
    ("moved_302", "filter"),
    ("idx_empty", "idx"),
    ("idx_cut", "idx"),
    ("status", "idx"),
    ("reset", "idx"),
    ("html_200", "idx"),
    ("hang", "idx"),
]


async def fetched(url, gfs, cache):
    fetcher = Fetcher(
        UpstreamSettings(nomads_url=url, aws_url="", read_timeout_s=SILENCE_S),
        FetchSettings(),
        cache_dir=cache,
        clock=Clock(datetime(2026, 1, 29, 18, tzinfo=UTC)),
        patience=Patience(attempts=5, scale=0.0005),
        requests_per_min=1e6,
    )
    await fetcher.start()
    try:
        async with asyncio.timeout(60):
            hour = await fetcher.hour(HourWanted(gfs, CYCLE, 6, WANTED, PNW))
    finally:
        await fetcher.stop()
    return hour, sorted(path.read_bytes() for path in cache.rglob("*.grib2"))


@pytest.fixture(scope="module")
def gfs(config_dir):
    return load(config_dir, {}).catalog.models["gfs"]


@pytest.mark.parametrize(("kind", "request_kind"), MATRIX, ids=lambda part: part)
async def test_the_hour_arrives_whole_after(kind, request_kind, gfs, test_data, tmp_path):
    fault = Fault(kind, on=(request_kind,), first=1, seconds=4 * SILENCE_S)
    async with running(DirectoryTree(test_data / "nomads")) as replica:
        _, truth = await fetched(replica.url, gfs, tmp_path / "clean")
    async with running(DirectoryTree(test_data / "nomads"), fault) as replica:
        hour, files = await fetched(replica.url, gfs, tmp_path / "cache")
        befallen = [hit for hit in replica.hits if hit.fault]

    assert befallen, "the fault met no request"
    assert truth
    assert files == truth
    assert hour.missing == frozenset()


@pytest.mark.parametrize("kind", ["bare_302", "limit_302", "limit_200", "block_403", "absent"])
async def test_the_hour_is_left_for_later_and_nothing_is_kept_after(kind, gfs, test_data, tmp_path):
    """The host has had enough of us, or has not got the hour: the caller comes back."""
    async with running(DirectoryTree(test_data / "nomads"), Fault(kind)) as replica:
        with pytest.raises(FetchError) as failure:
            await fetched(replica.url, gfs, tmp_path / "cache")

    assert failure.value.retry_after_s is not None
    assert not list((tmp_path / "cache").rglob("*.grib2"))
