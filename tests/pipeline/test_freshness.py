"""Which hours count for how quick the service is, and what is noted of them."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.pipeline.test_poller import NEW, OLD, at, until
from twf_async.clock import Clock
from twf_async.pipeline.gate import OPERATOR
from twf_async.pipeline.poller import ModelPoller
from twf_async.pipeline.report import RunRequest
from twf_async.pipeline.run import RunPipeline
from twf_async.publish.manifest import RunState

START = datetime(2026, 1, 29, 16, tzinfo=UTC)


class Heard(list):
    async def note(self, entry):
        self.append(entry)

    @property
    def hours(self):
        return {entry.hour for entry in self}


def listening(bench):
    heard = Heard()
    bench.shop = replace(bench.shop, fresh=heard.note)
    return heard


async def ended(bench, poller, cycle=NEW):
    complete = asyncio.create_task(until(bench.shop, "run.complete", cycle=cycle))
    await asyncio.sleep(0)
    await poller.start()
    return complete


async def test_hours_that_come_while_they_are_looked_out_for_are_timed_step_by_step(open_bench):
    async with open_bench(clock=at(16)) as bench:
        heard = listening(bench)
        clock, fetcher = bench.shop.clock, bench.fetcher
        fetcher.hours = {0, 3}
        fetcher.modified = {hour: START - timedelta(minutes=5) for hour in (0, 3)}
        poller = ModelPoller("gfs", bench.shop)
        shown = asyncio.create_task(until(bench.shop, "frame.published", hour=3))
        complete = await ended(bench, poller)
        await shown
        came = clock.now().replace(microsecond=0)
        fetcher.modified |= dict.fromkeys((6, 9, 12), came)
        fetcher.hours = None
        await complete
        await poller.stop()
        noted = {hour.hour: hour for hour in await bench.shop.ledger.hours("gfs", NEW)}

    assert heard.hours == {6, 9, 12}
    for entry in heard:
        assert entry.upstream_at == came
        times = (
            entry.upstream_at,
            entry.visible_at,
            entry.seen_at,
            entry.fetched_at,
            entry.rendered_at,
            entry.published_at,
        )
        assert list(times) == sorted(times)
        row = noted[entry.hour]
        assert (row.upstream_at, row.first_seen_at) == (came, entry.seen_at)
        assert (row.rendered_at, row.published_at) == (entry.rendered_at, entry.published_at)
    early = noted[3]
    assert early.upstream_at == START - timedelta(minutes=5)
    assert None not in {early.first_seen_at, early.fetched_at, early.rendered_at}
    assert None not in {early.published_at, early.decode_s, early.render_s, early.fetch_s}


async def test_an_hour_takes_until_the_last_frame_of_its_first_drawing(open_bench):
    """Here f012 is drawn in two jobs, for its total waits for f006."""
    async with open_bench(clock=at(16)) as bench:
        heard = listening(bench)
        fetcher = bench.fetcher
        fetcher.hours = {0, 3, 9, 12}
        poller = ModelPoller("gfs", bench.shop)
        fetcher.modified = dict.fromkeys(range(0, 13, 3), bench.shop.clock.now())
        first = asyncio.create_task(until(bench.shop, "frame.published", hour=12))
        complete = await ended(bench, poller)
        await first
        assert 12 not in heard.hours
        halfway = bench.shop.clock.now()
        (row,) = [h for h in await bench.shop.ledger.hours("gfs", NEW) if h.hour == 12]
        assert row.published_at is None
        fetcher.hours = None
        await complete
        await poller.stop()

    (last,) = [entry for entry in heard if entry.hour == 12]
    assert last.fetched_at < halfway < last.rendered_at <= last.published_at


async def test_runs_that_nobody_waits_for_do_not_count(open_bench):
    async with open_bench(clock=at(16)) as bench:
        heard = listening(bench)
        bench.fetcher.cycles = {OLD}
        bench.fetcher.modified = dict.fromkeys(range(0, 13, 3), bench.shop.clock.now())
        report = await RunPipeline(RunRequest("gfs", OLD, wait=False), bench.shop).run()
        noted = await bench.shop.ledger.hours("gfs", OLD)

    assert report.state is RunState.COMPLETE
    assert heard == []
    assert all(hour.published_at for hour in noted)


async def test_hours_that_came_before_the_service_started_do_not_count_at_a_restart(open_bench):
    for start, counted in ((at(16), set()), (at(17), {6, 9, 12})):
        async with open_bench(clock=start) as bench:
            heard = listening(bench)
            begin = start.now().replace(microsecond=0)
            bench.fetcher.hours = {0, 3} if not counted else None
            bench.fetcher.modified = dict.fromkeys((0, 3), begin - timedelta(minutes=1))
            poller = ModelPoller("gfs", bench.shop)
            bench.fetcher.modified |= dict.fromkeys((6, 9, 12), start.now())
            last = 12 if counted else 3
            shown = asyncio.create_task(until(bench.shop, "frame.published", hour=last))
            await asyncio.sleep(0)
            await poller.start()
            await shown
            await poller.stop(drain_s=10)
            assert heard.hours == counted


async def test_hours_that_came_during_a_pause_by_hand_do_not_count_and_later_ones_do(open_bench):
    async with open_bench(clock=at(16)) as bench:
        heard = listening(bench)
        clock, fetcher, gate = bench.shop.clock, bench.fetcher, bench.shop.gate
        fetcher.hours = {0, 3}
        poller = ModelPoller("gfs", bench.shop)
        complete = await ended(bench, poller)
        await until(bench.shop, "frame.published", hour=3)
        await gate.pause("new disk", by=OPERATOR)
        came = clock.now()
        looked = len(fetcher.looked)
        fetcher.hours |= {6}
        fetcher.modified[6] = came
        while bench.shop.clock.now() < came + timedelta(minutes=5):  # a look is due, and waits
            await asyncio.sleep(0)
        assert len(fetcher.looked) == looked
        await gate.resume(by=OPERATOR)
        await until(bench.shop, "frame.published", hour=6)
        fetcher.modified |= dict.fromkeys((9, 12), clock.now())
        fetcher.hours = None
        await complete
        await poller.stop()

    assert heard.hours == {9, 12}


async def test_files_that_were_replaced_and_drawn_again_count_once(open_bench):
    async with open_bench(clock=Clock(START, 3600.0)) as bench:
        heard = listening(bench)
        fetcher = bench.fetcher
        poller = ModelPoller("gfs", bench.shop)
        fetcher.modified = dict.fromkeys(range(0, 13, 3), bench.shop.clock.now())
        complete = await ended(bench, poller)
        await complete
        first = {hour.hour: hour for hour in await bench.shop.ledger.hours("gfs", NEW)}
        again = asyncio.create_task(until(bench.shop, "run.complete", cycle=NEW))
        await asyncio.sleep(0)
        later = bench.shop.clock.now()
        fetcher.editions = dict.fromkeys(range(0, 13, 3), "second")
        fetcher.modified = dict.fromkeys(range(0, 13, 3), later)
        await again
        await poller.stop()
        second = {hour.hour: hour for hour in await bench.shop.ledger.hours("gfs", NEW)}

    assert sorted(entry.hour for entry in heard) == [0, 3, 6, 9, 12]
    assert max(bench.renderer.drawn.values()) == 2
    for hour, row in second.items():
        assert row.published_at == first[hour].published_at
        assert row.first_seen_at == first[hour].first_seen_at
        assert row.upstream_at == later
