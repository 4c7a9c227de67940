"""How many jobs memory carries: by what they are expected to take, as earlier ones did."""

from math import inf

import pytest

from twf_async.farm.admission import Load, admits
from twf_async.farm.peaks import HEADROOM, KINDS, Peaks
from twf_async.farm.sizing import GB, budget_mb, worker_count
from twf_async.farm.turns import Kind
from twf_async.settings.service import FarmSettings

GFS = Kind("gfs", 21, ("pnw",))
WIDE_GFS = Kind("gfs", 21, ("conus", "pnw"))
HRRR = Kind("hrrr", 21, ("pnw",))


def count(farm, *, cores=8, limit_gb=16.0, available_gb=12.0, costs_mb=()):
    return worker_count(
        farm,
        cores=cores,
        memory_limit=int(limit_gb * GB),
        memory_available=int(available_gb * GB),
        costs_mb=costs_mb,
    )


@pytest.mark.parametrize(
    ("cores", "limit_gb", "available_gb", "expected"),
    [(8, 16, 12, 4), (2, 16, 12, 2), (8, 2, 1.8, 2), (8, 16, 0.5, 1), (8, 1, 1, 1), (1, 64, 60, 1)],
)
def test_the_number_of_workers_follows_cores_and_memory(cores, limit_gb, available_gb, expected):
    farm = FarmSettings()

    assert count(farm, cores=cores, limit_gb=limit_gb, available_gb=available_gb) == expected


@pytest.mark.parametrize(
    ("limit_gb", "available_gb", "expected"),
    [(16, 12, 3), (15.6, 0.14, 1), (12, 9, 2), (8, 7, 1), (4, 3, 1), (64, 60, 3)],
)
def test_with_the_plans_own_figures_the_formula_gives_the_plans_workers(
    limit_gb, available_gb, expected
):
    """max(1, min(3, (GB - 4) / 4)); one below what one worker costs."""
    plan = FarmSettings(reserve_gb=4, worker_gb=4, max_workers=3)

    assert count(plan, limit_gb=limit_gb, available_gb=available_gb) == expected


def test_a_number_in_the_configuration_wins():
    assert count(FarmSettings(workers=7), cores=1, limit_gb=1, available_gb=1) == 7
    assert budget_mb(FarmSettings(workers=7), GB) == inf


def test_there_are_as_many_slots_as_the_cheapest_model_fills():
    farm = FarmSettings(max_workers=8)

    assert count(farm, limit_gb=3, costs_mb=[900, 500]) == 4
    assert count(farm, limit_gb=3, costs_mb=[900]) == 2
    assert budget_mb(farm, 3 * GB) == 2 * 1024


def test_a_lone_job_starts_whatever_memory_there_is():
    assert admits(Load(5000), [], available_mb=10, budget_mb=100)


def test_what_running_jobs_will_still_take_is_not_given_away():
    running = [Load(400, held_mb=100)]  # 300 to come

    assert admits(Load(400, held_mb=100), running, available_mb=600, budget_mb=inf)
    assert not admits(Load(400, held_mb=100), running, available_mb=599, budget_mb=inf)


def test_a_job_that_has_grown_beyond_what_was_expected_gives_nothing_back():
    assert not admits(Load(300), [Load(100, held_mb=900)], available_mb=299, budget_mb=inf)


def test_dear_jobs_share_the_budget_though_memory_is_free_now():
    hrrr, gfs = Load(700), Load(300)

    assert not admits(hrrr, [hrrr], available_mb=9000, budget_mb=1300)
    assert admits(gfs, [hrrr], available_mb=9000, budget_mb=1300)


def test_an_unknown_model_is_counted_as_configured_and_then_as_it_was_seen():
    peaks = Peaks(400)
    assert peaks.expected_mb(GFS) == peaks.largest_mb == 400

    peaks.note(GFS, 210)
    peaks.note(GFS, 190)

    assert peaks.expected_mb(GFS) == pytest.approx(210 * HEADROOM)
    assert peaks.expected_mb(HRRR) == 400


def test_what_the_ledger_knows_holds_until_this_kind_was_drawn():
    peaks = Peaks(400, {"gfs": 300})
    assert peaks.expected_mb(GFS) == pytest.approx(300 * HEADROOM)

    peaks.note(WIDE_GFS, 500)

    assert peaks.expected_mb(WIDE_GFS) == pytest.approx(500 * HEADROOM)
    assert peaks.expected_mb(GFS) == pytest.approx(500 * HEADROOM)  # of its model, to be safe
    peaks.note(GFS, 200)
    assert peaks.expected_mb(GFS) == pytest.approx(200 * HEADROOM)


def test_a_peak_of_long_ago_is_forgotten_and_so_are_kinds():
    peaks = Peaks(400)
    peaks.note(GFS, 900)
    for _ in range(50):
        peaks.note(GFS, 200)
    assert peaks.expected_mb(GFS) == pytest.approx(200 * HEADROOM)

    for number in range(KINDS):
        peaks.note(Kind("hrrr", number, ()), 100)
    assert peaks.expected_mb(GFS) == 400
