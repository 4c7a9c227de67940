"""What earlier jobs and attempts leave behind for those that follow, beyond the very last one."""

import pytest

from twf_async.farm.losses import Cause, Loss, Losses
from twf_async.farm.peaks import HEADROOM, KINDS, Peaks
from twf_async.farm.turns import Kind

GFS = Kind("gfs", 21, ("pnw",))
WIDE_GFS = Kind("gfs", 21, ("conus", "pnw"))


def test_once_taken_for_memory_a_job_is_tried_alone_whatever_befalls_it_then():
    taken = Loss(Cause.OUT_OF_MEMORY, "the kernel was out of memory")

    assert Losses((taken, Loss(Cause.KILLED, "killed from outside"))).alone
    assert not Losses((Loss(Cause.KILLED, "killed from outside"),)).alone


def test_a_kind_that_was_not_drawn_yet_is_counted_with_the_dearest_of_its_model():
    peaks = Peaks(400)
    peaks.note(WIDE_GFS, 500)
    peaks.note(GFS, 200)

    assert peaks.expected_mb(Kind("gfs", 1, ())) == pytest.approx(500 * HEADROOM)


def test_one_more_worker_is_counted_with_what_the_ledger_knows_of_models_not_drawn_yet():
    peaks = Peaks(400, {"gfs": 300, "hrrr": 900})
    peaks.note(GFS, 200)

    assert peaks.largest_mb == pytest.approx(900 * HEADROOM)


def test_of_too_many_kinds_the_one_that_was_not_drawn_for_longest_is_forgotten():
    peaks = Peaks(400)
    others = [Kind("hrrr", number, ()) for number in range(KINDS)]
    for kind, peak_mb in ((GFS, 150), *((each, 100) for each in others[:-1]), (GFS, 140)):
        peaks.note(kind, peak_mb)

    peaks.note(others[-1], 100)

    assert peaks.expected_mb(GFS) == pytest.approx(150 * HEADROOM)
