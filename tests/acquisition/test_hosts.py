"""Hosts and files over more than one question: limits, the mirror, other grids, memory."""

import asyncio
import tracemalloc

import pytest

from render_farm.domain import grib2
from tests.acquisition.fault_bench import (
    AIGFS,
    AIGFS_DIR,
    GFS,
    HRRR,
    MIRROR,
    RANGES,
    SEVERAL,
    Bench,
    Way,
    lay_out,
)
from twf_async.fetch.errors import NotYetPublished, Throttled, Unsettled, WrongGrid
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.faults.edits import padded
from twf_async.replica.faults.script import Fault
from twf_async.replica.limit import Burst, Limit, Refusal
from twf_async.replica.manners import file_of
from twf_async.settings.load import load

T2M = frozenset(key for key in GFS.wanted if key.level == "2 m above ground")
MIRRORED = Way("GFS, mirrored", "gfs", GFS.cycle, GFS.wanted, GFS.box, mirror=True)


LARGE = Way("AIGFS ranges, large", "aigfs", AIGFS.cycle, T2M, AIGFS.box)


@pytest.fixture
def large_bench(test_data, config_dir, tmp_path):
    name = f"{AIGFS_DIR}/aigfs.t12z.sfc.f006.grib2"
    lay_out(test_data, tmp_path / "files")
    path = tmp_path / "files" / name
    content = path.read_bytes()
    with path.open("rb") as stream:
        (head,) = [head for head in grib2.walk(stream) if head.key in T2M]
    path.write_bytes(padded(content[head.offset :][: head.length], 48_000_000))
    models = load(config_dir, {}).catalog.models
    return Bench(DirectoryTree(tmp_path / "files"), models, tmp_path / "caches")


def of_mirror(hits):
    return [hit for hit in hits if hit.path.startswith(("/gfs.", "/hrrr."))]


@pytest.mark.parametrize("extends", [False, True], ids=["", "begun anew by every request"])
@pytest.mark.parametrize("refusal", Refusal)
async def test_over_the_limit_the_client_keeps_still_until_it_is_over(refusal, extends, bench):
    """The inventory is the one request of the minute; the filter's comes when the block is over."""
    limits = {"limit": Limit(hits_per_min=1, block_s=0.1, extends=extends, refusal=refusal)}
    async with bench.client(GFS, limits=limits, throttle_s=0.2) as client:
        first = await client.ask(GFS)
        await asyncio.sleep(first.error.retry_after_s)
        then = await client.ask(GFS)

    (line,) = first.lines("fetch.throttled")
    assert (line["source"], line["times_in_a_row"]) == ("nomads", 1)
    assert isinstance(first.error, Throttled)
    assert then.fields == (await bench.truth(GFS)).fields


async def test_a_client_that_keeps_its_cookie_is_not_taken_for_a_robot(bench):
    """The cookie comes from an address without a name, as a replica's."""
    async with bench.client(AIGFS, limits={"burst": Burst(requests=1, window_s=60.0)}) as client:
        got = await client.ask(AIGFS)

    assert got.error is None
    assert [hit.fault for hit in got.hits] == [""] * 4


async def test_one_closed_directory_does_not_stop_the_others_but_several_shut_the_host(bench):
    closed = Fault("status", on=("idx",), status=403, path="*/gfs.*")
    async with bench.client(GFS, closed) as client:
        first, again = await client.ask(GFS), await client.ask(GFS)
        others = [await client.ask(HRRR), await client.ask(AIGFS)]
    async with bench.client(GFS, Fault("status", on=("idx",), status=403)) as client:
        last = [await client.ask(way) for way in (GFS, HRRR, AIGFS)]

    assert first.error.reason == again.error.reason == "forbidden"
    assert (len(first.lines("fetch.directory_forbidden")), again.logs) == (1, [])
    assert [got.error for got in others] == [None, None]
    assert [type(got.error).__name__ for got in last] == ["Forbidden"] * 2 + ["Throttled"]


async def test_the_mirror_is_asked_for_the_same_run_after_a_while_and_for_no_other(bench):
    late = Fault("absent", source="nomads")
    async with bench.client(MIRRORED, late, after_min=15.0) as client:
        first = await client.ask(MIRRORED)
        client.clock.move(14 * 60)
        still = await client.ask(MIRRORED)
        client.clock.move(2 * 60)
        then = await client.ask(MIRRORED)

    assert isinstance(first.error, NotYetPublished)
    assert isinstance(still.error, NotYetPublished)
    assert of_mirror([*first.hits, *still.hits]) == []
    assert then.hour.source == "aws"
    (line,) = then.lines("fetch.fell_back")
    assert (line["cycle"], line["reason"]) == (GFS.cycle, "not yet published")
    assert {file_of(hit).removesuffix(".idx") for hit in of_mirror(then.hits)} == {
        "/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
    }


async def test_where_the_filter_is_out_of_order_and_no_mirror_is_there_byte_ranges_do(bench):
    """The hours after it follow by byte ranges at once: a run keeps to the way it goes."""
    broken = Fault("status", on=("filter",), status=500)
    async with bench.client(GFS, broken) as client:
        first = await client.ask(GFS)
        client.clock.move(16 * 60)
        then = await client.ask(GFS)
        other_hour = await client.ask(GFS, hour=0)

    assert first.error.reason == "server error"
    assert then.fields == (await bench.truth(MIRROR)).fields
    assert (then.hour.source, then.hour.method) == ("nomads", "RANGES")
    assert then.lines("fetch.fell_back")[0]["reason"] == "server error"
    assert other_hour.hour.method == "RANGES"
    assert not any("cgi-bin" in hit.path for hit in other_hour.hits)


async def test_a_mirror_that_lags_is_waited_for_and_what_it_just_got_may_settle(bench):
    """An hour after NOMADS wrote the file. The mirror gets it in a minute; then it is young."""
    async with bench.client(MIRROR, lag_s=3660.0) as client:
        missing = await client.ask(MIRROR)
        client.clock.move(70)
        young = await client.ask(MIRROR)
        client.clock.move(young.error.retry_after_s)
        then = await client.ask(MIRROR)

    assert missing.lines("fetch.fallback_failed")[0]["reason"] == "not yet published"
    assert isinstance(young.error, Unsettled)
    assert young.error.holds_run is False
    (line,) = young.lines("fetch.unsettled")
    assert (line["source"], line["age_s"], line["pause_s"]) == ("aws", 10.0, 10.0)
    assert then.fields == (await bench.truth(MIRROR)).fields


async def test_a_file_that_rested_for_the_settle_time_is_taken_at_once(bench):
    async with bench.client(MIRROR, lag_s=3600.0 - 181.0) as client:
        got = await client.ask(MIRROR)
    assert got.error is None


async def test_a_growing_file_is_taken_when_two_looks_agree(bench):
    growing = Fault("growing", on=("grib",), after=-50.0, seconds=75.0)
    async with bench.client(RANGES, growing) as client:
        looks = []
        while (got := await client.ask(RANGES)).error is not None and len(looks) < 9:
            looks.append(got)
            client.clock.move(got.error.retry_after_s)

    assert len(looks) == 3
    assert {type(look.error) for look in looks} == {Unsettled}
    assert got.fields == (await bench.truth(RANGES)).fields


async def test_budgets_are_of_hosts_a_block_by_nomads_does_not_stop_the_mirror(bench):
    blocked = Fault("limit_302", source="nomads")
    async with bench.client(MIRRORED, blocked, after_min=1.0) as client:
        first = await client.ask(MIRRORED)
        client.clock.move(61)
        then = await client.ask(MIRRORED)

    assert isinstance(first.error, Throttled)
    assert then.hour.source == "aws"
    assert len(of_mirror(then.hits)) == len(then.hits)
    assert then.fields == (await bench.truth(MIRROR)).fields


def test_another_nomads_switches_the_fall_back_off_unless_it_has_an_address_too(config_dir):
    moved = {"TWF_UPSTREAM__NOMADS_URL": "http://127.0.0.1:8123"}
    named = {**moved, "TWF_UPSTREAM__AWS_URL": "http://127.0.0.1:8124"}

    urls = [load(config_dir, env).service.upstream.aws_url for env in ({}, moved, named)]

    assert urls == ["auto", "", "http://127.0.0.1:8124"]


@pytest.mark.parametrize("way", [GFS, HRRR], ids=str)
async def test_a_cut_out_of_another_grid_than_that_of_other_hours_is_refused(way, bench):
    other = Fault("other_grid", on=("grib",), path="f06" if way is HRRR else "f006")
    async with bench.client(way, other) as client:
        first = await client.ask(way, hour=1 if way is HRRR else 0)
        wrong = await client.ask(way)
        client.replica.play()
        then = await client.ask(way)

    assert first.error is None
    assert isinstance(wrong.error, WrongGrid)
    assert wrong.lines("fetch.failed")[0]["reason"] == "wrong grid"
    assert then.fields == (await bench.truth(way)).fields


@pytest.mark.parametrize("way", [GFS, RANGES, SEVERAL], ids=str)
async def test_flipped_data_bits_are_not_seen_here_but_nothing_else_changes(way, bench):
    """GRIB has no checksum; whoever decodes looks at the values, and has the file taken anew."""
    truth = await bench.truth(way)
    on = ("filter",) if way is GFS else ("grib",)
    async with bench.client(way, Fault("flip", on=on, first=1, count=3)) as client:
        got = await client.ask(way)

    assert got.fields.keys() == truth.fields.keys()
    pairs = [(got.fields[key], truth.fields[key]) for key in truth.fields]
    assert all(len(one) == len(other) for one, other in pairs)
    flipped = sum(
        (a ^ b).bit_count() for one, other in pairs for a, b in zip(one, other, strict=True)
    )
    assert flipped == 3


async def test_a_whole_file_is_taken_where_it_is_allowed_and_told_as_a_warning(bench):
    async with bench.client(AIGFS, Fault("range_ignored", on=("grib",)), full=True) as client:
        got = await client.ask(AIGFS)

    assert got.hour.method == "FULL"
    assert got.fields == (await bench.truth(AIGFS)).fields
    assert got.lines("fetch.finished")[0]["log_level"] == "warning"


@pytest.mark.parametrize("way", ["range", "whole"])
async def test_memory_stays_flat_whatever_the_size_of_the_answer(way, large_bench):
    """A message of 48 MB, by its byte range and as a whole file; replica and client together."""
    faults = [Fault("range_ignored", on=("grib",))] if way == "whole" else []
    async with large_bench.client(LARGE, *faults, full=True) as client:
        tracemalloc.start()
        try:
            got = await client.ask(LARGE, fields=False)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert got.hour.method == ("FULL" if way == "whole" else "RANGES")
    assert got.hour.bytes > 48e6
    assert peak < 16e6
