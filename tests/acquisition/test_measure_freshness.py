"""What freshness is measured with: runs that come sooner must not be easier to expect."""

import argparse
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.acquisition.freshness import number_of_hours, told
from tests.acquisition.measure_freshness import Followed, Irregular, Price
from twf_async.ledger.entries import FreshnessEntry
from twf_async.replica.release import PLANS

CYCLE = datetime(2026, 1, 29, 12, tzinfo=UTC)


def hrrr(**changed):
    plan = next(plan for plan in PLANS if plan.tree.startswith("hrrr/"))
    names = ("tree", "file", "write_s", "idx_lag_s", "keep_days", "short_h", "cadence", "offset_s")
    return Irregular(**{name: getattr(plan, name) for name in names}, cycle=CYCLE, **changed)


def early_s(plan, every_s):
    """By how many seconds each hour comes before or after it would if all came evenly."""
    return [plan.after_s(CYCLE, hour) - plan.offset_s - hour * every_s for hour in range(19)]


def test_hours_that_follow_each_other_sooner_are_early_and_late_by_as_much():
    usual, sooner = hrrr(noise=0.05), hrrr(noise=0.05, file_s=40.0)
    assert early_s(sooner, 40.0) == pytest.approx(early_s(usual, 120.0), abs=1e-6)
    assert max(map(abs, early_s(usual, 120.0))) > 5
    assert usual.complete(CYCLE, 18) - sooner.complete(CYCLE, 18) == timedelta(seconds=18 * 80)


def entry(hour, online_s):
    seconds = {"upstream": 0, "visible": 0, "seen": 1, "fetched": 2, "rendered": 3}
    moments = {f"{name}_at": CYCLE + timedelta(seconds=s) for name, s in seconds.items()}
    online_at = CYCLE + timedelta(seconds=online_s)
    return FreshnessEntry(
        model="hrrr", cycle="2026012912", hour=hour, published_at=online_at, **moments
    )


def test_the_verdict_is_on_all_hours_that_were_to_come():
    entries = tuple(entry(hour, 4.0 + hour) for hour in range(5))
    got = Followed(entries, {}, {"hrrr": 5}, {"hrrr": Price(42, 20)}, 15)
    table, holds = told(got)
    assert holds
    assert "requests an hour 8.40, 4.00 of them in vain" in table
    assert not told(replace(got, hours={"hrrr": 6}))[1]
    assert not told(replace(got, entries=(*entries[:4], entry(4, 14.0))))[1]


def test_no_more_hours_are_followed_than_come_in_one_rhythm():
    assert number_of_hours("gfs")("41") == 41
    for text in ("42", "-1"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not from 0 to 41"):
            number_of_hours("gfs")(text)
