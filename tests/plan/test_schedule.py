import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from render_farm.domain.models import Model
from render_farm.domain.products import Product
from twf_async.plan import readiness, schedule, turns
from twf_async.plan.orders import hour_orders, wanted_by_hour
from twf_async.plan.progress import FileState, FileStatus, Policy, RunProgress

NOW = datetime(2026, 1, 29, 16, tzinfo=UTC)
LATER = timedelta(seconds=31)
FIELDS = {"t2m": "TMP:2 m above ground", "snow": "APCP:surface:buckets acc"}


def begun(*, hours=(0, 3, 6, 9, 12), **policy):
    model = Model.model_validate(
        {
            "key": "gfs", "title": "GFS", "long_title": "GFS", "cycles": [0], "hours": "0-12/3",
            "bucket_h": 6, "first_hour_min": 1, "gives_up_min": 1, "files": [{"path": "x"}],
            "products": [], "regions": [],
        }
    )  # fmt: skip
    products = [
        Product.model_validate(
            {"key": k, "title": k, "recipe": "r", "fields": {"v": f}, "scales": {"fill": "x"}}
        )
        for k, f in FIELDS.items()
    ]
    waiting = {order.hour: order.drawn for order in hour_orders(model, products, hours)}
    files = {hour: FileState() for hour in wanted_by_hour(model, products, hours)}
    return RunProgress(Policy(**policy), waiting, files)


def fetch(run, *hours):
    for hour in hours:
        run = schedule.fetched(schedule.fetching(run, hour), hour, frozenset())
    return run


def test_files_are_asked_for_in_order_a_few_at_once():
    run = begun()
    assert turns.to_fetch(run, NOW) == (0, 3)
    run = schedule.fetching(run, 0)
    assert turns.to_fetch(run, NOW) == (3,)
    run = schedule.fetching(run, 3)
    assert turns.to_fetch(run, NOW) == ()
    assert turns.next_look(run, NOW) is None


def test_fetching_stops_when_enough_hours_wait_to_be_drawn():
    run = fetch(begun(ahead_hours=2), 0, 3)
    assert turns.to_fetch(run, NOW) == ()
    first = readiness.to_draw(run)[0]
    run = readiness.drawn(readiness.handed_out(run, first), first)
    assert turns.to_fetch(run, NOW) == (6,)


def test_only_the_first_absent_hour_is_asked_for_again_until_patience_ends():
    run = replace(fetch(begun(), 0), at_edge=True)
    now = NOW
    for _ in range(turns.PATIENCE):
        assert turns.to_fetch(run, now) == (3,)
        run = schedule.absent(schedule.fetching(run, 3), 3, now)
        assert turns.to_fetch(run, now) == ((6,) if run.files[3].absences == 3 else ())
        assert turns.next_look(run, now) is not None
        now += LATER
    assert turns.to_fetch(run, now) == (3, 6)


def test_at_the_edge_of_a_run_hours_are_asked_for_one_by_one_until_one_is_there_at_once():
    run = schedule.absent(schedule.fetching(begun(), 0), 0, NOW)
    now = NOW + LATER
    assert turns.to_fetch(run, now) == (0,)
    run = fetch(run, 0)
    assert turns.to_fetch(run, now) == (3,)
    assert turns.to_fetch(fetch(run, 3), now) == (6, 9)


def test_after_the_deadline_each_absent_hour_gets_one_last_look():
    run = begun(deadline=NOW)
    asked = []
    while due := turns.to_fetch(run, NOW):
        asked += due
        for hour in due:
            run = schedule.absent(schedule.fetching(run, hour), hour, NOW)
    assert asked == [0, 3, 6, 9, 12]
    assert {state.reason for state in run.files.values()} == {"not published"}


def test_a_run_that_is_superseded_looks_once_more_and_ends():
    run = fetch(begun(), 0)
    run = schedule.absent(schedule.fetching(run, 3), 3, NOW)
    assert turns.to_fetch(run, NOW) == ()
    run = schedule.abandoned(run, NOW)
    assert turns.to_fetch(run, NOW) == (3, 6)
    run = schedule.absent(schedule.fetching(run, 3), 3, NOW)
    assert run.files[3].status is FileStatus.GIVEN_UP


def test_a_failure_holds_every_download_of_the_run_for_its_pause():
    run = schedule.failed(
        schedule.fetching(begun(), 0), 0, NOW, reason="throttled", detail="", retry_s=20.0
    )
    assert turns.to_fetch(run, NOW) == ()
    assert turns.next_look(run, NOW) == NOW + timedelta(seconds=20)
    assert turns.to_fetch(run, NOW + timedelta(seconds=20)) == (0, 3)


def test_an_hour_that_is_bad_alone_holds_up_no_other_even_at_the_edge_of_a_run():
    """It was waited for, came, and is damaged on the server: the next hour may be whole."""
    run = fetch(begun(), 0)
    run = schedule.absent(schedule.fetching(run, 3), 3, NOW)
    now = NOW + LATER
    run = schedule.came(schedule.fetching(run, 3), 3, now)
    run = schedule.failed(run, 3, now, reason="truncated", detail="", retry_s=20.0, holds_run=False)

    assert turns.to_fetch(run, now) == (6, 9)
    assert turns.to_fetch(fetch(run, 6), now + timedelta(seconds=20)) == (3, 9)


def test_products_wait_for_each_other_unless_a_file_is_known_to_be_absent():
    run = fetch(begun(hours=(9,)), 9)
    assert readiness.to_draw(run) == ()  # hour 6 may come any moment
    run = schedule.absent(schedule.fetching(run, 6), 6, NOW)
    (ready,) = readiness.to_draw(run)
    assert [order.product.key for order in ready.orders] == ["t2m"]
    run = readiness.drawn(readiness.handed_out(run, ready), ready)
    (rest,) = readiness.to_draw(fetch(run, 6))
    assert [order.product.key for order in rest.orders] == ["snow"]


def test_a_later_file_that_is_given_up_fails_what_takes_it_and_nothing_else():
    run = fetch(begun(hours=(9,), wait=False), 9)
    run = schedule.absent(schedule.fetching(run, 6), 6, NOW)
    (ready,) = readiness.to_draw(run)
    assert [order.product.key for order in ready.orders] == ["t2m"]
    assert [(f.product, f.reason, f.detail) for f in ready.failed] == [
        ("snow", "not published", "hour 6")
    ]


@given(
    chance=st.integers(0, 10**9).map(random.Random),
    ahead=st.integers(1, 6),
    batch=st.booleans(),
    wait=st.booleans(),
    minutes=st.integers(0, 20),
)
def test_whatever_happens_every_product_is_settled_once_and_only_with_its_files(
    chance, ahead, batch, wait, minutes
):
    """Random answers from the other side, random order of drawing, until nothing is left."""
    end = NOW + timedelta(minutes=minutes)
    run = begun(ahead_hours=ahead, batch=batch, wait=wait, deadline=end)
    now, open_jobs, settled, fetched = NOW, [], [], set()
    for _ in range(5000):
        if run.finished:
            break
        for job in readiness.to_draw(run):
            for order in job.orders:
                assert order.files <= fetched
            settled += [(job.hour, o.product.key) for o in job.orders]
            settled += [(job.hour, f.product) for f in job.failed]
            run = readiness.handed_out(run, job)
            open_jobs += [job] if job.orders else []
        due = turns.to_fetch(run, now)
        for hour in due:
            run = schedule.fetching(run, hour)
            match chance.choice(["there", "there", "absent", "failed", "bad", "hopeless"]):
                case "there":
                    run = schedule.fetched(run, hour, frozenset())
                    fetched.add(hour)
                case "absent":
                    run = schedule.absent(run, hour, now)
                case how:
                    run = schedule.failed(
                        run,
                        hour,
                        now,
                        reason="x",
                        detail="",
                        retry_s=None if how == "hopeless" else 5.0,
                        holds_run=how != "bad",
                    )
        if open_jobs and chance.random() < 0.5:
            run = readiness.drawn(run, open_jobs.pop(chance.randrange(len(open_jobs))))
        elif not due:
            look = turns.next_look(run, now)
            assert look is not None or open_jobs or readiness.to_draw(run) or run.finished
            now = max(now, look or now)
    assert run.finished
    everything = {(h, o.product.key) for h, orders in begun().waiting.items() for o in orders}
    assert sorted(settled) == sorted(everything)


def test_an_hour_goes_in_two_requests_of_the_filter_until_looks_in_vain_are_made_good():
    run, spent, splits = replace(begun(), requests=3), 3, []
    for hour in sorted(run.files):
        if hour == 6:
            run = schedule.absent(run, hour, NOW)
            spent += 1
        splits.append(run.splits)
        spent += 1 + splits[-1]
        run = schedule.fetching(run, hour)
        run = schedule.fetched(run, hour, frozenset(), requests=1 + splits[-1])
    assert splits == [3, 2, 2, 2, 2]
    assert spent <= 4 * len(splits)


def test_an_hour_out_of_the_cache_changes_nothing_of_what_the_next_may_cost():
    run = schedule.fetched(schedule.fetching(begun(), 0), 0, frozenset(), requests=0)
    assert (run.paid, run.splits) == (0, 3)
