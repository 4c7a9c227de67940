"""The whole service beside a replica that keeps a log of hits: does it stay within its budget, does
it ask for what cannot be there, does it take anything twice? How fast and how much: measure.py.
"""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.places import Box
from tests.acquisition.measure_manners import hour_of, manners, stage
from tests.acquisition.redated import RedatedTree
from tests.acquisition.rehearsal import REPOSITORY, Stage, rehearsing
from twf_async.app.assembly import assembled
from twf_async.app.desk import Desk
from twf_async.clock import Clock
from twf_async.fetch.fetched import HourWanted
from twf_async.fetch.fetcher import Fetcher
from twf_async.fetch.patience import Patience
from twf_async.replica.manners import busiest, downloaded_twice, not_due
from twf_async.replica.release_tree import ReleaseTree
from twf_async.replica.running import running
from twf_async.settings.load import load

GFS = "2026012912"
WEST = Box(west=-125.0, east=-102.0, south=31.0, north=49.0)
CONNECTIONS = 6  # upstream.connections, as shipped


async def until(condition, within_s=60.0):
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


async def test_three_models_share_one_budget_and_ask_for_nothing_early_or_twice(
    tmp_path, test_data, context, maps
):
    """900 a minute, and a clock so fast that this is too little: 60 in any four seconds."""
    hours = {"gfs": "0-15/3", "aigfs": "0-36/6", "hrrr": "0-3"}
    on = replace(stage(speed=600.0, per_min=900), hours=hours)
    async with rehearsing(tmp_path / "all", test_data, on, context, maps=maps) as rehearsal:
        await rehearsal.ended()
    hits = rehearsal.hits
    assert {hour_of(hit)[0] for hit in hits} == {"gfs", "aigfs", "hrrr"}
    assert busiest(hits, window_s=4.0) <= 60 + CONNECTIONS  # as they arrive: some may be late
    assert busiest(hits, window_s=4.0) > 40  # it did bind
    assert not_due(hits) == []
    assert downloaded_twice(hits) == []


async def test_a_gfs_hour_takes_four_requests_at_most_polling_included(
    tmp_path, test_data, context, maps
):
    on = stage(speed=300.0, per_min=60_000, models=["gfs"], hours="0-36/3")
    judged = await manners(tmp_path / "gfs", test_data, on, context, maps=maps)
    assert judged.hours["gfs"] == 13
    assert judged.per_hour("gfs") <= 4


async def test_a_run_that_is_superseded_while_it_is_caught_up_with_is_taken_once(
    tmp_path, test_data, context, maps
):
    on = Stage(
        cycles={"hrrr": ["2026012912", "2026012913"]},
        hours="0-4",
        speed=1500.0,
        settings={"TWF_UPSTREAM__REQUESTS_PER_MIN": "900"},
    )
    async with rehearsing(tmp_path / "two", test_data, on, context, maps=maps) as rehearsal:
        await rehearsal.ended()
    assert {hour_of(hit)[1] for hit in rehearsal.hits} >= {"2026012912", "2026012913"}
    assert downloaded_twice(rehearsal.hits) == []
    assert not_due(rehearsal.hits) == []


@asynccontextmanager
async def serving(on, root, replica, context, **changed):
    settings = load(REPOSITORY / "config", on.environment(root, replica) | changed)
    patience = Patience(scale=1.0 / on.speed)
    async with assembled(lambda: settings, context, patience=patience) as parts:
        desk = Desk(parts.workshop)
        await desk.start()
        try:
            yield parts, desk
        finally:
            await desk.stop()


async def test_what_is_here_is_not_taken_again_after_reload_and_restart_with_more_products(
    tmp_path, test_data, context, maps
):
    """What was under way at the reload or the stop is no loss of manners: nobody had it yet."""
    few = {"TWF_MODELS__GFS__PRODUCTS": '["t2m"]'}
    on = Stage(
        cycles={"gfs": [GFS]},
        hours="0-15/3",
        speed=0.001,
        settings={"TWF_CLOCK__START": "2026-01-29T16:30:00Z"},
    )
    clock = Clock(on.appears("gfs", GFS, 15), 0.001)
    tree = ReleaseTree(RedatedTree(test_data, on.cycles), clock)
    cache = tmp_path / "cache" / "grib" / "gfs" / GFS
    async with running(tree, clock=clock) as replica:
        async with serving(on, tmp_path, replica, context, **few) as (_, desk):
            await until(lambda: len(list(cache.glob("*.json"))) >= 2)
            at_reload = hours_in(cache)
            await desk.reload(drain_s=5.0)
            await until(lambda: len(list(cache.glob("*.json"))) >= 5)
        at_stop, so_far = hours_in(cache), len(replica.hits)
        async with serving(on, tmp_path, replica, context) as (parts, _):
            await until(lambda: parts.tree.runs("gfs"))
            await until(lambda: parts.tree.summary("gfs", GFS)["state"] != "running")
    after_reload = hours_again(replica.hits[:so_far])
    assert at_reload
    assert not after_reload & at_reload
    assert not hours_again(replica.hits[so_far:])
    assert not (hours_again(replica.hits) - after_reload) & at_stop


def hours_in(cache):
    return {path.name[1:4] for path in cache.glob("*.json")}


def hours_again(hits):
    return {part.file[-3:] for part in downloaded_twice(hits)}


async def test_what_several_ask_for_at_once_comes_once(tmp_path, test_data):
    """Products that share fields, one of them with fields that lie between those of the others."""
    on = Stage(cycles={"gfs": [GFS]}, hours="6-12/6")
    clock = Clock(on.appears("gfs", GFS, 12), 0.001)
    tree = ReleaseTree(RedatedTree(test_data, on.cycles), clock)
    asked = [
        ("TMP:2 m above ground", "TMP:850 mb"),
        ("TMP:850 mb", "UGRD:850 mb", "VGRD:850 mb"),
        ("PRMSL:mean sea level", "HGT:850 mb", "RH:850 mb", "TMP:surface", "ABSV:500 mb"),
        ("TMP:2 m above ground", "PRMSL:mean sea level"),
    ]
    async with running(tree, clock=clock) as replica:
        settings = load(REPOSITORY / "config", on.environment(tmp_path, replica))
        model = settings.catalog.models["gfs"]
        fetcher = Fetcher(
            settings.service.upstream,
            settings.service.fetch,
            cache_dir=tmp_path / "grib",
            clock=clock,
        )
        await fetcher.start()
        try:
            wanted = [
                frozenset(MessageKey(*f.split(":"), 6, 6, Statistic.INSTANT) for f in fields)
                for fields in asked
            ]
            got = await asyncio.gather(
                *(fetcher.hour(HourWanted(model, GFS, 6, keys, WEST)) for keys in wanted)
            )
        finally:
            await fetcher.stop()
    assert [hour.missing for hour in got] == [frozenset()] * len(asked)
    assert downloaded_twice(replica.hits) == []
    assert sum(hit.path.endswith(".idx") for hit in replica.hits) == 1
