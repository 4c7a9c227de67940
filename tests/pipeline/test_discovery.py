"""Runs and hours as they are found, expected, left behind and replaced."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from structlog.testing import capture_logs

from twf_async.clock import Clock
from twf_async.ledger.entries import ArrivalEntry
from twf_async.pipeline.opening import plan_run
from twf_async.pipeline.poller import ModelPoller
from twf_async.pipeline.report import RunRequest
from twf_async.plan.runs import cycle_time
from twf_async.publish.manifest import RunState
from twf_async.settings.load import Settings
from twf_async.settings.service import ServiceSettings

from .conftest import CYCLE, catalog

OLD, NEW = "2026012906", "2026012912"
CADENCE = [{"to": 384, "s_per_hour": 100.0}]


def at(hour, minute=0, speed=600.0):
    return Clock(datetime(2026, 1, 29, hour, minute, tzinfo=UTC), speed)


@asynccontextmanager
async def following(bench):
    poller = ModelPoller("gfs", bench.shop)
    await poller.start()
    try:
        yield poller
    finally:
        await poller.stop()


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


def ended(bench, cycle):
    return lambda: (
        (found := bench.tree.manifest("gfs", cycle)) and found.state is not (RunState.RUNNING)
    )


def frames(bench, cycle=NEW, product="t2m"):
    manifest = bench.tree.manifest("gfs", cycle)
    return manifest.frames["pnw"][product] if manifest else {}


async def test_when_hours_came_is_remembered_beyond_the_run(open_bench):
    came = {
        hour: datetime(2026, 1, 29, 15, 30, tzinfo=UTC) + timedelta(seconds=hour * 13)
        for hour in (0, 3, 6, 9, 12)
    }
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.modified = came
        async with following(bench):
            await until(ended(bench, NEW))
        known = await bench.shop.ledger.arrivals("gfs", NEW, runs=5)
    assert {entry.hour: entry.arrived_at for entry in known} == came


async def test_an_hour_is_not_looked_for_before_it_is_likely_to_come(open_bench):
    """Hours are 300 s apart here: one that comes in time costs a look, one that does not a few."""
    came = datetime(2026, 1, 29, 15, 25, tzinfo=UTC)
    async with open_bench(clock=at(15, 25), cadence=CADENCE) as bench:
        bench.fetcher.hours = {0}
        bench.fetcher.modified = {0: came}
        appeared, first_looks = bench.fetcher.appeared, {}

        async def noted(model, cycle, hour, **how):
            first_looks.setdefault(hour, bench.shop.clock.now())
            return await appeared(model, cycle, hour, **how)

        bench.fetcher.appeared = noted
        async with following(bench) as poller:
            await until(lambda: (NEW, 3) in bench.fetcher.looked)
            await until(lambda: "f003" in poller.status()["runs"][NEW]["etas"])
            status = poller.status()
        # With its second hour a run begins in earnest: looked for all through its window.
        for hour, looked_at in first_looks.items():
            assert looked_at >= came + 0.85 * timedelta(seconds=100 * hour)
        assert bench.fetcher.looked.count((NEW, 0)) <= 2
        assert list(status["runs"][NEW]["etas"]) == ["f003", "f006", "f009", "f012"]
        assert status["coming"]["cycle"] == "2026012918"


async def test_a_run_whose_first_hour_never_comes_is_found_by_the_next_one(open_bench):
    async with open_bench(clock=at(15, 40, speed=60.0)) as bench:
        bench.fetcher.hours = {3, 6, 9, 12}
        async with following(bench):
            await until(
                lambda: (found := frames(bench)) and found["f003"].state.value == "published"
            )
            assert frames(bench)["f000"].state.value == "expected"


async def test_viewers_are_told_when_to_expect_what_is_missing(open_bench):
    async with open_bench(clock=at(15, 25, speed=1.0), cadence=CADENCE) as bench:
        bench.fetcher.hours = {0}
        bench.fetcher.modified = {0: datetime(2026, 1, 29, 15, 25, tzinfo=UTC)}
        async with following(bench):
            await until(
                lambda: (
                    (found := frames(bench))
                    and found["f000"].state.value == "published"
                    and found["f012"].eta
                )
            )
            etas = {name: record.eta for name, record in frames(bench).items()}
    assert etas == {
        "f000": None,
        "f003": datetime(2026, 1, 29, 15, 30, tzinfo=UTC),
        "f006": datetime(2026, 1, 29, 15, 35, tzinfo=UTC),
        "f009": datetime(2026, 1, 29, 15, 40, tzinfo=UTC),
        "f012": datetime(2026, 1, 29, 15, 45, tzinfo=UTC),
    }


async def test_what_earlier_runs_taught_is_known_after_a_restart(open_bench):
    async with open_bench(clock=at(15)) as bench:
        for day in (26, 27, 28):
            cycle = f"202601{day}12"
            start = cycle_time(cycle) + timedelta(minutes=230)
            await bench.shop.ledger.record_arrivals(
                ArrivalEntry("gfs", cycle, hour, start + timedelta(seconds=20 * hour))
                for hour in (0, 3, 6, 9, 12)
            )
    async with open_bench(clock=at(15, 44, speed=60.0)) as bench:
        bench.fetcher.cycles = {OLD}
        async with following(bench) as poller:
            await until(lambda: (NEW, 0) in bench.fetcher.looked)
            # By the configuration from 15:20 on.
            assert bench.shop.clock.now() >= datetime(2026, 1, 29, 15, 44, 59, tzinfo=UTC)
            coming = poller.status()["coming"]
    assert coming == {"cycle": NEW, "eta": datetime(2026, 1, 29, 15, 50, tzinfo=UTC)}


async def test_an_older_run_is_finished_beside_the_newer_one(open_bench):
    async with open_bench(clock=at(15, 30), gives_up_min=1200) as bench:
        bench.fetcher.cycles, bench.fetcher.hours = {OLD}, {0, 3}
        async with following(bench):
            await until(lambda: (OLD, 3) in bench.fetcher.asked)
            bench.fetcher.cycles = {OLD, NEW}
            await until(lambda: (NEW, 3) in bench.fetcher.asked)
            assert bench.tree.manifest("gfs", OLD).state is RunState.RUNNING
            bench.fetcher.hours = None
            await until(ended(bench, OLD))
            await until(ended(bench, NEW))
        assert bench.tree.manifest("gfs", OLD).state is RunState.COMPLETE
        assert bench.tree.manifest("gfs", NEW).state is RunState.COMPLETE


async def test_an_older_run_is_abandoned_where_that_is_the_policy(open_bench):
    async with open_bench(
        clock=at(15, 30, speed=120.0),  # hour 12 is due in eight seconds
        gives_up_min=1200,
        when_superseded="abandon",
        cadence=CADENCE,
    ) as bench:
        bench.fetcher.cycles, bench.fetcher.hours = {OLD}, {0}
        bench.fetcher.modified = {0: datetime(2026, 1, 29, 15, 29, tzinfo=UTC)}
        async with following(bench):
            await until(lambda: (OLD, 0) in bench.fetcher.asked)
            bench.fetcher.cycles = {OLD, NEW}
            await until(ended(bench, OLD))
        gone = {name: record.reason for name, record in frames(bench, OLD).items() if record.reason}
        assert gone.keys() == {"f003", "f006", "f009", "f012"}
        assert gone["f012"] == "superseded"
        assert (OLD, 12) not in bench.fetcher.looked
        hours = {e.hour: e.reason for e in await bench.shop.ledger.hours("gfs", OLD)}
        assert hours[12] == "superseded"


async def test_after_a_restart_both_unfinished_runs_go_on(open_bench):
    async with open_bench(clock=at(15, 30), gives_up_min=1200) as bench:
        bench.fetcher.cycles, bench.fetcher.hours = {OLD}, {0, 3}
        async with following(bench):
            await until(lambda: (OLD, 3) in bench.fetcher.asked)
            bench.fetcher.cycles = {OLD, NEW}
            await until(lambda: (NEW, 3) in bench.fetcher.asked)
    async with open_bench(clock=at(15, 50), gives_up_min=1200) as bench:
        bench.fetcher.cycles = {OLD, NEW}
        async with following(bench):
            await until(ended(bench, OLD))
            await until(ended(bench, NEW))
        assert max(bench.renderer.drawn.values()) == 1


async def test_a_run_that_never_came_is_said_once(open_bench):
    with capture_logs() as lines:
        # OLD is due at once and given up at 12:00: more than two seconds for two looks.
        clock = at(6, 30, speed=8000.0)
        async with open_bench(clock=clock, first_hour_min=30, gives_up_min=360) as bench:
            bench.fetcher.cycles = {"2026012900"}
            async with following(bench):
                await until(ended(bench, "2026012900"))
                await until(lambda: any(line["event"] == "poller.run_missing" for line in lines))
                bench.fetcher.cycles |= {NEW}
                await until(ended(bench, NEW))
    missing = [line["cycle"] for line in lines if line["event"] == "poller.run_missing"]
    assert missing == [OLD]


async def test_files_that_were_replaced_are_taken_and_drawn_again_with_what_depends_on_them(
    open_bench,
):
    with capture_logs() as lines:
        async with open_bench(clock=at(16), gives_up_min=1200) as bench:
            render, replaced = bench.renderer.render, asyncio.Event()

            async def watched(job, **how):
                if job.hour == 12 and not replaced.is_set():  # the last one is being drawn
                    bench.fetcher.editions = {0: "second", 6: "second"}
                    replaced.set()
                return await render(job, **how)

            bench.renderer.render = watched
            async with following(bench):
                await until(ended(bench, NEW))
            assert bench.tree.manifest("gfs", NEW).state is RunState.COMPLETE
            drawn = {
                (hour, product): count
                for (_, hour, region, product), count in bench.renderer.drawn.items()
                if region == "pnw"
            }
            noted = {e.hour: e.inventory for e in await bench.shop.ledger.hours("gfs", NEW)}
    assert bench.fetcher.forgotten == [0, 6]
    assert [line["hours"] for line in lines if line["event"] == "pipeline.hours_replaced"] == [
        [0, 6]
    ]
    assert {name for name, count in drawn.items() if count == 2} == {
        *((0, "t2m"), (0, "typed")),
        *((6, "t2m"), (6, "typed"), (6, "total"), (6, "snow")),
        *((9, "snow"), (12, "snow")),  # they take the bucket of hour 6
    }
    assert noted[6] == "second"
    assert noted[9] == "first"


async def test_a_run_without_replaced_files_costs_three_more_looks_at_its_end(open_bench):
    async with open_bench(clock=at(16), gives_up_min=1200) as bench:
        async with following(bench):
            await until(ended(bench, NEW))
        assert len(bench.fetcher.looked) <= 5 + 1 + 3 + 5  # hours, the search, recheck, misses
        assert bench.fetcher.forgotten == []


def test_files_of_hours_that_this_cycle_does_not_have_are_never_wanted(tmp_path):
    """The snow of hour 9 takes the file of hour 6; a cycle that leaves it out has no snow then."""
    model = {"hours": "0,3,9", "long_hours": "0-12/3", "long_cycles": [0]}
    settings = Settings(ServiceSettings(), catalog(**model), tmp_path)
    plan = plan_run(settings, RunRequest("gfs", CYCLE), fetches_at_once=2)
    files = {hour for order in plan.orders for o in order.drawn for hour in o.files}
    assert files == {0, 3, 9}
