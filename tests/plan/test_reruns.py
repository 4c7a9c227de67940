from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twf_async.plan import readiness, reruns, schedule, turns
from twf_async.plan.arrivals import Arrival, Window
from twf_async.plan.orders import hour_orders
from twf_async.plan.progress import FileState, FileStatus, Policy, RunProgress
from twf_async.settings.load import load

NOW = datetime(2026, 1, 29, 16, tzinfo=UTC)
HOURS = (0, 3, 6, 9, 12)


@pytest.fixture(scope="module")
def orders(config_dir):
    catalog = load(config_dir, {}).catalog
    products = [catalog.products[key].for_model("gfs") for key in ("t2m", "precip_6h")]
    return {
        order.hour: order.drawn for order in hour_orders(catalog.models["gfs"], products, HOURS)
    }


def finished(orders):
    files = {hour: FileState(FileStatus.FETCHED) for hour in HOURS}
    return RunProgress(Policy(), {}, files)


def test_three_hours_tell_for_all():
    assert reruns.samples(()) == ()
    assert reruns.samples([6]) == (6,)
    assert reruns.samples(range(0, 25, 3)) == (0, 12, 24)


def test_a_pause_of_minutes_raises_suspicion_and_a_little_lateness_does_not():
    window = Window(NOW, NOW, NOW + timedelta(seconds=5))
    late = [Arrival("2026012912", 6, NOW + timedelta(seconds=s)) for s in (3, 300, 700)]
    assert [reruns.paused(window, arrival) for arrival in late] == [False, False, True]
    assert not reruns.paused(None, late[-1])
    assert not reruns.paused(window, None)


@given(replaced=st.frozensets(st.sampled_from(HOURS), min_size=1))
def test_what_was_made_of_a_replaced_file_is_made_again_and_nothing_else(orders, replaced):
    run, redo = reruns.again(finished(orders), replaced, orders)
    again = {(hour, order.product.key) for hour, found in redo.items() for order in found}
    touched = {
        (hour, order.product.key)
        for hour, found in orders.items()
        for order in found
        if order.files & replaced
    }
    assert again == touched
    assert all(run.files[hour] == FileState() for hour in replaced)
    assert run.needed <= {h for h, s in run.files.items() if s.status is FileStatus.PENDING}

    while not run.finished:  # it can be worked through like any other run
        for job in readiness.to_draw(run):
            run = readiness.drawn(readiness.handed_out(run, job), job)
        for hour in turns.to_fetch(run, NOW):
            run = schedule.fetched(schedule.fetching(run, hour), hour, frozenset())


def test_what_still_waits_is_not_ordered_twice(orders):
    waiting = {12: orders[12]}
    run = RunProgress(Policy(), waiting, {hour: FileState() for hour in HOURS})
    run, redo = reruns.again(run, frozenset({12}), orders)
    assert redo == {}
    assert run.waiting == waiting
