"""Percentiles of how quick the service is: what they say, and what they are made of."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from twf_async.app.freshness import STAGES, figures, percentiles, stage_s
from twf_async.app.freshness_book import FreshnessBook
from twf_async.clock import Clock
from twf_async.ledger.entries import FreshnessEntry
from twf_async.ledger.ledger import Ledger

NOW = datetime(2026, 1, 29, 18, tzinfo=UTC)


def entry(hour, *, online_s=6.0, model="gfs", cycle="2026012912", at=NOW):
    """An hour that was online at *at*, so long after its Last-Modified."""
    came = at - timedelta(seconds=online_s)
    steps = [came + timedelta(seconds=online_s * share) for share in (0, 0.25, 0.5, 0.6, 0.9, 1)]
    return FreshnessEntry(model, cycle, hour, *steps)


def test_stages_begin_with_the_last_modified_and_the_goal_with_what_could_be_seen():
    assert stage_s(entry(0, online_s=20.0)) == {
        "seen": 10.0,
        "fetched": 12.0,
        "rendered": 18.0,
        "published": 20.0,
        "visible_to_published": 15.0,
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], {}),
        ([4.0], {"p50": 4.0, "p95": 4.0, "p99": 4.0}),
        ([3.0, 1.0], {"p50": 2.0, "p95": 2.9, "p99": 2.98}),
        (range(101), {"p50": 50.0, "p95": 95.0, "p99": 99.0}),
    ],
)
def test_percentiles_lie_between_neighbours_and_need_no_order(values, expected):
    assert percentiles(values) == pytest.approx(expected)


def test_one_slow_hour_in_a_hundred_moves_the_last_percentile_alone():
    usual = [entry(hour, online_s=5.0) for hour in range(99)]
    seconds = figures([*usual, entry(99, online_s=500.0)])["seconds"]["published"]
    assert (seconds["p50"], seconds["p95"]) == (5.0, 5.0)
    assert 5.0 < seconds["p99"] < 500.0


def test_without_hours_there_are_no_percentiles():
    assert figures([]) == {"hours": 0, "seconds": {}}


@pytest.fixture
async def book(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite", clock=Clock(NOW))
    await ledger.start()
    yield FreshnessBook(ledger, Clock(NOW))
    await ledger.stop()


async def test_a_restart_knows_the_last_day(book, tmp_path):
    await book.note(entry(0, at=NOW - timedelta(hours=25)))
    await book.note(entry(3, online_s=8.0, at=NOW - timedelta(hours=23)))
    await book.note(entry(0, online_s=4.0, model="hrrr"))
    ledger = Ledger(tmp_path / "l.sqlite", clock=Clock(NOW))
    await ledger.start()
    again = FreshnessBook(ledger, Clock(NOW))
    await again.start()
    await ledger.stop()

    for each in (book, again):
        assert each.figures("gfs")["window_h"] == 24
        assert each.figures("gfs")["hours"] == 1
        assert each.figures("gfs")["seconds"]["published"]["p95"] == 8.0
        assert each.figures("hrrr")["seconds"]["seen"]["p50"] == 2.0
        assert each.figures("aigfs")["hours"] == 0


async def test_an_hour_counts_once(book):
    await book.note(entry(0))
    await book.note(entry(0, online_s=4000.0))
    assert book.figures("gfs")["hours"] == 1
    assert book.figures("gfs")["seconds"]["published"]["p99"] == 6.0


async def test_metrics_have_every_stage_as_histogram_and_percentiles(book):
    def counted(stage):
        labels = {"model": "probe", "stage": stage}
        return REGISTRY.get_sample_value("twf_hour_seconds_count", labels) or 0.0

    before = {stage: counted(stage) for stage in STAGES}
    await book.note(entry(0, model="probe", online_s=8.0))

    for stage, seconds in stage_s(entry(0, online_s=8.0)).items():
        assert counted(stage) == before[stage] + 1
        for quantile in ("0.5", "0.95", "0.99"):
            labels = {"model": "probe", "stage": stage, "quantile": quantile}
            assert REGISTRY.get_sample_value("twf_freshness_seconds", labels) == seconds
