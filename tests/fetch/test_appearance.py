"""What an hour's inventories tell before anything of it is downloaded."""

import gc
import tracemalloc
from datetime import UTC, datetime

import pytest

from tests.fetch.fakes.messages import CYCLE, PRMSL, T2M
from tests.fetch.fakes.nomads import answer
from tests.fetch.test_fetcher import GFS, publish
from twf_async.fetch.errors import NotYetPublished


async def test_an_hour_that_is_not_there_says_so_and_costs_one_request(nomads, gfs, running):
    async with running(nomads.url) as fetcher:
        with pytest.raises(NotYetPublished):
            await fetcher.appeared(gfs, CYCLE, 6)
    assert len(nomads.asked) == 1


async def test_the_download_after_it_does_not_ask_for_the_inventory_again(
    nomads, gfs, running, want
):
    publish(nomads, GFS, PRMSL, T2M)
    async with running(nomads.url) as fetcher:
        found = await fetcher.appeared(gfs, CYCLE, 6)
        await fetcher.hour(want(gfs, T2M))
        again = await fetcher.appeared(gfs, CYCLE, 6)
    assert (found.source, len(found.inventory)) == ("nomads", 16)
    assert len(nomads.paths(".idx")) == 1
    assert again.source == "cache"


async def test_a_replaced_file_has_another_inventory_and_ours_are_dropped(
    nomads, gfs, running, want
):
    publish(nomads, GFS, PRMSL, T2M)
    async with running(nomads.url) as fetcher:
        before = await fetcher.appeared(gfs, CYCLE, 6)
        first = await fetcher.hour(want(gfs, T2M))
        same = await fetcher.appeared(gfs, CYCLE, 6, anew=True)
        publish(nomads, GFS, T2M, PRMSL)
        other = await fetcher.appeared(gfs, CYCLE, 6, anew=True)
        await fetcher.forget(gfs, CYCLE, 6)
        second = await fetcher.hour(want(gfs, T2M))
    assert before.inventory == same.inventory != other.inventory
    assert (first.method, second.method) == ("FILTERED", "FILTERED")


async def test_last_modified_is_told_where_the_source_tells_it(nomads, gfs, running):
    publish(nomads, GFS, PRMSL, T2M)
    dated = answer(
        nomads.files[f"{GFS}.idx"], headers=["Last-Modified: Thu, 29 Jan 2026 15:40:00 GMT"]
    )
    async with running(nomads.url) as fetcher:
        silent = await fetcher.appeared(gfs, CYCLE, 6)
        nomads.script = [(".idx", dated)]
        told = await fetcher.appeared(gfs, CYCLE, 6, anew=True)
    assert silent.modified_at is None
    assert told.modified_at == datetime(2026, 1, 29, 15, 40, tzinfo=UTC)


async def test_the_inventory_is_among_the_requests_of_the_hour_once(nomads, gfs, running, want):
    publish(nomads, GFS, PRMSL, T2M)
    async with running(nomads.url) as fetcher:
        await fetcher.appeared(gfs, CYCLE, 6)
        fetched = await fetcher.hour(want(gfs, T2M, PRMSL))
        more = await fetcher.hour(want(gfs, T2M))
    assert fetched.requests == len(nomads.asked)
    assert fetched.bytes > len(nomads.files[f"{GFS}.idx"])
    assert more.requests == 0


async def test_what_is_remembered_of_real_inventories_is_their_text(
    nomads, gfs, running, test_data
):
    text = (test_data / "idx" / "gfs.t12z.pgrb2.0p25.f006.idx").read_bytes()
    async with running(nomads.url) as fetcher:
        for hour in range(21):
            nomads.files[f"{GFS}.idx".replace("f006", f"f{hour:03d}")] = text
        await fetcher.appeared(gfs, CYCLE, 0)
        tracemalloc.start()
        try:
            for hour in range(1, 21):
                await fetcher.appeared(gfs, CYCLE, hour)
            gc.collect()
            taken, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(nomads.asked) == 21
    assert 20 * len(text) < taken < 40 * len(text)  # their lines would be ten times as much
