"""When a file that may still be being written is taken, by the service's clock."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tests.fetch.fakes.errands import NOW, HandClock, errand
from twf_async.fetch.errors import Unsettled
from twf_async.fetch.settling import Settling


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def settling(clock):
    return Settling(clock)


def test_only_files_of_a_mirror_and_those_that_failed_their_check_are_watched(settling, gfs):
    at_home, mirrored = errand(gfs), errand(gfs, source="aws")

    assert (settling.watches(at_home), settling.watches(mirrored)) == (False, True)
    settling.suspect(at_home)
    assert settling.watches(at_home)
    assert not settling.watches(errand(gfs, hour=7))
    settling.trust(at_home)
    assert (settling.watches(at_home), settling.watches(mirrored)) == (False, True)


@pytest.mark.parametrize(("model", "settle_s"), [("gfs", 180), ("hrrr", 120), ("aigfs", 180)])
def test_a_file_that_rested_for_the_settle_time_of_its_model_is_taken(
    settling, models, model, settle_s
):
    about = errand(models[model])

    settling.require(about, 5000, NOW - timedelta(seconds=settle_s))
    with pytest.raises(Unsettled):
        settling.require(about, 5000, NOW - timedelta(seconds=settle_s - 1))


def test_a_younger_one_is_taken_when_two_looks_find_the_same(settling, clock, gfs):
    with pytest.raises(Unsettled) as first, capture_logs() as logs:
        settling.require(errand(gfs), 5000, NOW)
    clock.move(4)
    with pytest.raises(Unsettled) as second:
        settling.require(errand(gfs), 5000, NOW)
    clock.move(second.value.retry_after_s)
    settling.require(errand(gfs), 5000, NOW)

    assert (first.value.retry_after_s, second.value.retry_after_s) == (10, 6)
    (line,) = logs
    assert (line["event"], line["reason"]) == ("fetch.unsettled", "not settled yet")
    assert (line["age_s"], line["size_bytes"], line["pause_s"]) == (0.0, 5000, 10.0)


@pytest.mark.parametrize("changes", ["size", "time"])
def test_one_that_goes_on_changing_is_waited_for_but_no_longer_than_its_settle_time(
    changes, settling, clock, gfs
):
    looks = 0
    while looks < 50:
        grown = 5000 + looks if changes == "size" else 5000
        written = clock.now() if changes == "time" and looks < 20 else NOW
        try:
            settling.require(errand(gfs), grown, written)
        except Unsettled as error:
            looks += 1
            clock.move(error.retry_after_s)
        else:
            break

    assert (looks, clock.now() - NOW) == (
        (18, timedelta(seconds=180)) if changes == "size" else (20, timedelta(seconds=200))
    )


def test_without_a_time_or_a_length_there_is_nothing_to_wait_for_but_the_settle_time(
    settling, clock, gfs
):
    settling.require(errand(gfs), 5000, None)
    with pytest.raises(Unsettled):
        settling.require(errand(gfs), None, NOW)
    clock.move(20)
    with pytest.raises(Unsettled):
        settling.require(errand(gfs), None, NOW)
    clock.move(160)
    settling.require(errand(gfs), None, NOW)


def test_the_pause_is_told_in_real_seconds(gfs):
    settling = Settling(HandClock(speed=60.0))

    with pytest.raises(Unsettled) as caught:
        settling.require(errand(gfs), 5000, NOW)

    assert caught.value.retry_after_s == pytest.approx(10 / 60)


def test_a_file_from_the_future_is_waited_for_like_a_new_one(settling, clock, gfs):
    """Clocks differ, and a rehearsal's may be years behind its files."""
    with pytest.raises(Unsettled) as caught:
        settling.require(errand(gfs), 5000, NOW + timedelta(days=300))
    clock.move(caught.value.retry_after_s)
    settling.require(errand(gfs), 5000, NOW + timedelta(days=300))
    assert caught.value.retry_after_s == 10
