"""What of a run that was asked for is there, and what is still to come."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twf_async.pipeline.asked import Standing, covers, is_coming, joined, owed
from twf_async.pipeline.opening import extent_of
from twf_async.pipeline.report import RunCount, RunRequest
from twf_async.plan.orders import hour_orders
from twf_async.plan.progress import FileState, FileStatus, Policy, RunProgress
from twf_async.settings.load import load

NOW = datetime(2026, 1, 29, 16, tzinfo=UTC)
SOON = NOW + timedelta(seconds=20)
WHOLE = RunRequest("gfs", "2026012912")
PART = RunRequest("gfs", "2026012912", hours=(0, 3), products=("t2m",))


@pytest.mark.parametrize(
    ("running", "asked", "does"),
    [
        (WHOLE, WHOLE, True),
        (WHOLE, PART, True),
        (PART, PART, True),
        (PART, WHOLE, False),
        (PART, RunRequest("gfs", "2026012912", hours=(3,), products=("t2m",)), True),
        (PART, RunRequest("gfs", "2026012912", hours=(3, 6), products=("t2m",)), False),
        (PART, RunRequest("gfs", "2026012912", hours=(3,)), False),
    ],
)
def test_a_run_brings_what_is_asked_for_only_where_it_has_all_of_it(running, asked, does):
    assert covers(running, asked) is does


def some(items):
    return st.none() | st.lists(st.sampled_from(items), min_size=1, unique=True).map(tuple)


@pytest.fixture(scope="module")
def has(config_dir):
    """What the configuration that is shipped has of the run."""
    return extent_of(load(config_dir, {}), WHOLE)


requests = st.builds(
    RunRequest,
    st.just("gfs"),
    st.just("2026012912"),
    some((0, 3, 6, 9)),
    some(("pnw", "west", "conus")),
    some(("t2m", "refc", "cape")),
    st.booleans(),
)


@given(requests, requests)
def test_what_joins_two_requests_brings_all_of_both_and_each_thing_once(one, other):
    both = joined(one, other)

    assert covers(both, one)
    assert covers(both, other)
    assert covers(joined(other, one), both)
    assert both.wait is (one.wait or other.wait)
    for names in (both.hours, both.regions, both.products):
        assert names is None or len(names) == len(set(names))


@given(
    st.sets(
        st.tuples(
            st.sampled_from(("pnw", "atlantis")),
            st.sampled_from(("t2m", "refc", "nonsense")),
            st.sampled_from((0, 3, 6, 999)),
        )
    )
)
def test_whatever_is_still_to_come_of_a_run_is_asked_for_as_far_as_it_is_configured(has, frames):
    known = {
        (region, product, hour)
        for region, product, hour in frames
        if region == "pnw" and product != "nonsense" and hour != 999
    }

    request = owed("gfs", "2026012912", frames, has)

    if not known:
        assert request is None
        return
    assert known <= {
        (r, p, h) for r in request.regions for p in request.products for h in request.hours
    }
    # Nothing is added but what lies between them: no hour, region or product of its own.
    assert set(request.hours) == {hour for *_, hour in known}
    assert set(request.regions) == {region for region, *_ in known}
    assert set(request.products) == {product for _, product, _ in known}
    assert request.wait is False


def progress(config_dir, states, **more):
    catalog = load(config_dir, {}).catalog
    model, hours = catalog.models["gfs"], sorted(states)
    products = [catalog.products[key] for key in ("t2m", "precip_24h")]
    waiting = {order.hour: order.drawn for order in hour_orders(model, products, hours)}
    files = {hour: FileState() for order in waiting.values() for o in order for hour in o.files}
    return RunProgress(Policy(), waiting, files | states, **more)


@pytest.mark.parametrize(
    ("state", "coming"),
    [
        (FileState(), True),  # nobody has looked yet
        (FileState(FileStatus.FETCHING), True),
        (FileState(FileStatus.FETCHED), True),
        (FileState(not_before=SOON, failures=1), True),  # what failed is tried again
        (FileState(not_before=SOON, absences=1), False),
        (FileState(absences=1), False),  # the next look is due, but the last was in vain
        (FileState(not_before=SOON), False),  # expected later
        (FileState(not_before=NOW - timedelta(seconds=1)), True),
    ],
)
def test_an_hour_is_coming_unless_it_is_known_not_to_be_there(config_dir, state, coming):
    run = progress(config_dir, {3: state})
    assert is_coming(run, NOW, [("pnw", "t2m", 3)]) is coming


def test_a_product_waits_for_all_its_hours_and_what_is_being_drawn_comes(config_dir):
    absent, here = FileState(absences=1), FileState(FileStatus.FETCHED)
    run = progress(config_dir, {24: absent, 48: here})
    assert not is_coming(run, NOW, [("pnw", "precip_24h", 48)])
    assert is_coming(run, NOW, [("pnw", "precip_24h", 48), ("pnw", "t2m", 48)])
    drawing = progress(config_dir, {48: absent}, drawing={48: frozenset({"precip_24h"})})
    assert is_coming(drawing, NOW, [("pnw", "precip_24h", 48)])
    assert not is_coming(drawing, NOW, [("pnw", "refc", 48)])  # settled, or none of this run


def test_what_is_there_is_told_from_what_is_missing_and_why():
    records = {
        ("pnw", "t2m", 6): None,
        ("pnw", "refc", 0): {"state": "failed", "reason": "field missing", "detail": "REFC"},
        ("pnw", "t2m", 0): {"state": "published"},
        ("pnw", "t2m", 3): {"state": "expected"},
        ("pnw", "precip_6h", 0): {"state": "not_applicable", "reason": "no precipitation yet"},
    }
    standing = Standing.of(records, why_open="not published")

    assert standing.count == RunCount(expected=4, published=1, failed=1, not_applicable=1)
    assert list(map(str, standing.missing)) == [
        "pnw/refc/f000: field missing (REFC)",
        "pnw/t2m/f003: not published",
        "pnw/t2m/f006: not published",
    ]
    assert set(standing.open) == {("pnw", "t2m", 3), ("pnw", "t2m", 6)}
