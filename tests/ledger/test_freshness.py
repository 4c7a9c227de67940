from datetime import UTC, datetime, timedelta

from tests.ledger.test_ledger import opened
from twf_async.clock import Clock
from twf_async.ledger.entries import FreshnessEntry, HourEntry
from twf_async.ledger.ledger import FRESHNESS_KEPT, Ledger

NOW = datetime(2026, 1, 29, 18, tzinfo=UTC)
CYCLE = "2026012912"


def entry(hour, published_at, cycle=CYCLE):
    times = [published_at - timedelta(seconds=s) for s in (6, 5, 4, 2, 1, 0)]
    return FreshnessEntry("gfs", cycle, hour, *times)


async def opened_at(path, now):
    ledger = Ledger(path, clock=Clock(now))
    await ledger.start()
    return ledger


async def test_what_is_known_of_an_hour_outlives_a_restart_and_its_run_but_not_for_ever(tmp_path):
    path = tmp_path / "l.sqlite"
    ledger = await opened_at(path, NOW)
    first, second = entry(0, NOW - timedelta(hours=1)), entry(3, NOW)
    await ledger.record_freshness(second)
    await ledger.record_freshness(first)
    await ledger.forget_run("gfs", CYCLE)
    await ledger.stop()

    ledger = await opened_at(path, NOW)
    assert await ledger.freshness(NOW - timedelta(hours=2)) == (first, second)
    assert await ledger.freshness(NOW - timedelta(minutes=1)) == (second,)
    await ledger.stop()

    late = NOW + FRESHNESS_KEPT - timedelta(minutes=1)
    ledger = await opened_at(path, late)
    await ledger.record_freshness(entry(0, late, "2026021212"))
    assert [known.cycle for known in await ledger.freshness(NOW - timedelta(days=99))] == [
        CYCLE,
        "2026021212",
    ]  # the older one went
    await ledger.stop()


async def test_of_an_hour_the_first_time_counts(tmp_path):
    ledger = await opened_at(tmp_path / "l.sqlite", NOW)
    await ledger.record_freshness(entry(0, NOW))
    await ledger.record_freshness(entry(0, NOW + timedelta(hours=2)))
    assert await ledger.freshness(NOW) == (entry(0, NOW),)
    await ledger.stop()


async def test_an_hour_keeps_when_it_was_first_seen_drawn_and_online(tmp_path):
    async with opened(tmp_path / "l.sqlite") as ledger:
        for later in (timedelta(0), timedelta(hours=1)):
            now = NOW + later
            await ledger.record_hours(
                [
                    HourEntry(
                        *("gfs", CYCLE, 6, "published"),
                        upstream_at=now,
                        first_seen_at=now,
                        fetched_at=now,
                        rendered_at=now,
                        published_at=now,
                    )
                ]
            )
        (hour,) = await ledger.hours("gfs", CYCLE)
    assert hour.first_seen_at == hour.rendered_at == hour.published_at == NOW
    assert hour.upstream_at == hour.fetched_at == NOW + timedelta(hours=1)
