"""Notes that follow each other: which of them counts, and none is lost to another's trouble."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from structlog.testing import capture_logs

from twf_async.clock import Clock
from twf_async.ledger.entries import ArrivalEntry, FrameEntry, HourEntry
from twf_async.ledger.ledger import Ledger

CYCLE = "2026012912"
AT = datetime(2026, 1, 29, 16, tzinfo=UTC)


@asynccontextmanager
async def opened(path):
    ledger = Ledger(path / "ledger.sqlite", clock=Clock(AT))
    await ledger.start()
    try:
        yield ledger
    finally:
        await ledger.stop()


async def test_a_run_that_is_followed_again_has_not_ended_and_was_seen_when_it_first_was(tmp_path):
    async with opened(tmp_path) as ledger:
        await ledger.run_started("gfs", CYCLE)
        await ledger.run_ended("gfs", CYCLE, "partial")
        (ended,) = await ledger.runs()

        await ledger.run_started("gfs", CYCLE)
        (again,) = await ledger.runs()

    assert ended.ended_at is not None
    assert (again.state, again.ended_at) == ("running", None)
    assert again.first_seen_at == ended.first_seen_at


async def test_of_a_frame_that_is_drawn_again_the_last_picture_counts(tmp_path):
    async with opened(tmp_path) as ledger:
        for digest in ("aa", "bb"):
            frame = FrameEntry("gfs", CYCLE, 6, "pnw", "t2m", "published", sha256=digest)
            await ledger.record_frames([frame])
        (found,) = await ledger.frames("gfs", CYCLE)

    assert (found.sha256, found.attempts) == ("bb", 2)


async def test_the_run_that_is_asked_for_is_none_of_those_before_it(tmp_path):
    cycles = [f"20260129{hour:02d}" for hour in (0, 6, 12, 18)]
    async with opened(tmp_path) as ledger:
        await ledger.record_arrivals(ArrivalEntry("gfs", cycle, 0, AT) for cycle in cycles)
        found = await ledger.arrivals("gfs", cycles[-1], runs=2)

    assert [entry.cycle for entry in found] == cycles[1:]


async def test_a_note_that_cannot_be_kept_costs_none_after_it(tmp_path):
    async with opened(tmp_path) as ledger:
        with capture_logs() as lines:
            await ledger.record_hours(
                [HourEntry("gfs", CYCLE, 3, "ok"), HourEntry("gfs", CYCLE, 6, None)]
            )
        await ledger.record_hours([HourEntry("gfs", CYCLE, 9, "ok")])
        found = await ledger.hours("gfs", CYCLE)

    assert [line["event"] for line in lines] == ["ledger.write_failed"]
    assert [entry.hour for entry in found] == [9]


async def test_a_note_whose_caller_is_cancelled_is_made_and_so_are_those_after_it(tmp_path):
    async with opened(tmp_path) as ledger:
        noting = asyncio.create_task(ledger.run_started("gfs", CYCLE))
        await asyncio.sleep(0)
        noting.cancel()
        await asyncio.wait({noting})
        await ledger.run_started("hrrr", CYCLE)

    async with opened(tmp_path) as again:
        assert {run.model for run in await again.runs()} == {"gfs", "hrrr"}


async def test_what_is_just_being_noted_is_there_after_a_stop(tmp_path):
    async with opened(tmp_path) as ledger:
        noting = asyncio.create_task(ledger.run_started("gfs", CYCLE))
        await asyncio.sleep(0)
    await noting

    async with opened(tmp_path) as again:
        assert [run.model for run in await again.runs()] == ["gfs"]
