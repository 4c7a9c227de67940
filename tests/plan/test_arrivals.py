from datetime import timedelta

import pytest

from twf_async.plan.arrivals import arrived_at
from twf_async.plan.runs import cycle_time

CYCLE = "2026012912"
START = cycle_time(CYCLE)


def at(minutes, seconds=0):
    return START + timedelta(minutes=minutes, seconds=seconds)


@pytest.mark.parametrize(
    ("modified", "missed", "seen", "really"),
    [
        (at(206), None, at(207), at(206)),
        (at(206), at(205), at(207), at(206)),
        (at(206), at(206, 40), at(207), at(206, 40)),  # shown later than it was written
        (at(207, 30), at(206), at(207), at(207)),  # their clock is ahead of ours
        (None, at(206), at(207), at(207)),
        (None, None, at(207), None),  # it may have been there for hours
        (at(-60), None, at(207), None),  # older than the run: a copied file
        (at(300), None, at(207), None),  # of another clock altogether
        (at(300), at(206), at(207), at(207)),
    ],
)
def test_an_arrival_is_when_it_was_written_but_not_before_a_look_that_missed(
    modified, missed, seen, really
):
    assert arrived_at(CYCLE, seen_at=seen, missed_at=missed, modified_at=modified) == really
