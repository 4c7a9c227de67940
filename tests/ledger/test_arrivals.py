import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from twf_async.clock import Clock
from twf_async.ledger.entries import ArrivalEntry, HourEntry
from twf_async.ledger.ledger import Ledger
from twf_async.ledger.schema import MIGRATIONS

DAY = datetime(2026, 1, 29, tzinfo=UTC)


def cycles(count, *, every_h=6, before=DAY):
    return [f"{before - timedelta(hours=every_h * n):%Y%m%d%H}" for n in range(count)]


def arrival(cycle, hour=0, model="gfs"):
    began = datetime.strptime(cycle, "%Y%m%d%H").replace(tzinfo=UTC)
    return ArrivalEntry(model, cycle, hour, began + timedelta(minutes=205, seconds=hour))


@pytest.fixture
async def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite", clock=Clock(DAY))
    await ledger.start()
    yield ledger
    await ledger.stop()


async def test_arrivals_outlive_a_restart_and_their_run(tmp_path):
    for forgotten in (False, True):
        ledger = Ledger(tmp_path / "ledger.sqlite", clock=Clock(DAY))
        await ledger.start()
        if not forgotten:
            await ledger.record_arrivals([arrival("2026012812"), arrival("2026012812", 3)])
            await ledger.forget_run("gfs", "2026012812")
        known = await ledger.arrivals("gfs", "2026012900", runs=5)
        assert known == (arrival("2026012812"), arrival("2026012812", 3))
        await ledger.stop()


async def test_the_first_time_that_an_hour_was_there_counts(ledger):
    first = arrival("2026012812")
    await ledger.record_arrivals([first])
    await ledger.record_arrivals([ArrivalEntry("gfs", "2026012812", 0, DAY)])
    assert await ledger.arrivals("gfs", "2026012812", runs=1) == (first,)


async def test_asked_for_a_run_it_tells_of_the_last_ones_and_the_last_at_that_time_of_day(ledger):
    await ledger.record_arrivals(arrival(cycle) for cycle in cycles(40))
    await ledger.record_arrivals([arrival("2026012806", model="hrrr")])
    known = {entry.cycle for entry in await ledger.arrivals("gfs", "2026012906", runs=3)}
    assert known == {
        *("2026012900", "2026012818", "2026012812"),
        *("2026012806", "2026012706", "2026012606"),
    }


async def test_what_is_long_ago_is_forgotten(ledger):
    await ledger.record_arrivals([arrival("2025110100")])
    await ledger.record_arrivals([arrival("2026012812")])
    known = await ledger.arrivals("gfs", "2026012900", runs=100)
    assert [entry.cycle for entry in known] == ["2026012812"]


async def test_a_ledger_of_the_first_version_is_brought_up_with_what_is_in_it(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as old:
        old.executescript(MIGRATIONS[0])
        old.execute(
            "INSERT INTO hours (model, cycle, hour, state) VALUES ('gfs', '2026012812', 6, 'x')"
        )
        old.execute("PRAGMA user_version = 1")
    old.close()
    ledger = Ledger(path, clock=Clock(DAY))
    await ledger.start()
    await ledger.record_arrivals([arrival("2026012812")])
    await ledger.record_hours([HourEntry("gfs", "2026012812", 9, "fetched", inventory="abc")])
    hours = await ledger.hours("gfs", "2026012812")
    await ledger.stop()
    assert ledger.set_aside is None
    assert [(hour.hour, hour.inventory) for hour in hours] == [(6, ""), (9, "abc")]
