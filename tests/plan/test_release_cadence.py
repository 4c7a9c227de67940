"""A virtual clock, runs that come out as on NOMADS, and every request that following them costs."""

import random
from datetime import timedelta
from statistics import median

import pytest

from twf_async.plan import readiness, schedule, turns
from twf_async.plan.arrivals import Arrival, arrived_at
from twf_async.plan.orders import hour_orders, wanted_by_hour
from twf_async.plan.progress import FileState, Policy, RunProgress
from twf_async.plan.runs import cycle_time, hours_of_cycle, next_cycle
from twf_async.plan.search import RunSearch
from twf_async.plan.timetable import Timetable
from twf_async.settings.load import load

DOWNLOAD_S = 1.5
CYCLE = "2026012912"
RELEASES = {  # first hour after the cycle, then seconds a file: nomads.md 1
    "gfs": (205 * 60, ((120, 1, 13.0), (384, 3, 55.0))),
    "hrrr": (51 * 60, ((18, 1, 120.0), (48, 1, 48.0))),
    "aigfs": (220 * 60, ((384, 6, 5.0),)),
}


def released(key, cycle, chance, *, noise=0.1, late_s=240.0):
    """When each hour of the run comes: every file takes its time, more or less."""
    first_s, parts = RELEASES[key]
    after_s = first_s + chance.uniform(0, late_s)
    times, done = {0: after_s}, 0
    for last, step, file_s in parts:
        for hour in range(done + step, last + 1, step):
            after_s += max(1.0, chance.gauss(file_s, noise * file_s))
            times[hour] = after_s
        done = last
    start = cycle_time(cycle)
    return {hour: start + timedelta(seconds=round(s)) for hour, s in times.items()}


class Follower:
    """Works through runs as the service does, in virtual time; counts what it asks for."""

    def __init__(self, model, products, chance):
        self.model, self.products, self.chance = model, products, chance
        self.known: list[Arrival] = []
        self.search = RunSearch(model)
        self.asked: list[tuple[int, bool]] = []
        self.delays: list[float] = []
        self.spent = 0  # on hours that were there

    def find(self, cycle, out, now):
        """Ask for the newest run until *cycle* is found; returns when."""

        def windows(of):
            return Timetable.learned(self.model, of, self.known).first()

        self.asked, self.delays, self.spent = [], [], 0
        while True:
            for candidate in self.search.due(windows, now):
                at = out.get(0) if candidate == cycle else None
                there = at is not None and at <= now
                self.asked.append((0, there))
                if there:
                    missed = self.search.missed.get(cycle)
                    when = arrived_at(cycle, seen_at=now, missed_at=missed, modified_at=at)
                    self.known.append(Arrival(cycle, 0, when))
                    self.search = self.search.found(cycle)
                    self.delays.append((now - at).total_seconds())
                    return now
                chance = self.chance.random()
                self.search = self.search.absent(candidate, windows, now, chance=chance)
            now = self.search.next_look(windows, now)

    def follow(self, cycle, out, now):
        """From *now* to the end of the run; `out`: when each hour comes, None: never."""
        model, hours = self.model, hours_of_cycle(self.model, cycle)
        table = Timetable.learned(model, cycle, self.known)
        orders = hour_orders(model, self.products, hours)
        policy = Policy(
            poll_s=model.poll_s,
            deadline=cycle_time(cycle) + timedelta(minutes=model.gives_up_min),
            requests_per_hour=model.requests_per_hour,
            stalls=timedelta(minutes=model.stalls_min),
        )
        files = {hour: FileState() for hour in wanted_by_hour(model, self.products, hours)}
        waiting = {order.hour: order.drawn for order in orders}
        run = RunProgress(policy, waiting, files, requests=self.misses)
        anchor, missed, under_way = self.known[-1], {}, []
        run = self.expect(run, table, anchor)
        while not run.finished:
            for job in readiness.to_draw(run):
                run = readiness.handed_out(run, job)
                run = readiness.drawn(run, job) if job.orders else run
            for hour in turns.to_fetch(run, now):
                run = schedule.fetching(run, hour)
                at = out.get(hour)
                if hour:  # the inventory of hour 0 is here, of the search
                    self.asked.append((hour, at is not None and at <= now))
                if at is None or at > now:
                    missed[hour] = now
                    run = schedule.absent(run, hour, now, chance=self.chance.random())
                    continue
                cost = 1 + run.splits
                self.spent += cost
                under_way.append((now + timedelta(seconds=DOWNLOAD_S), hour, cost))
                when = arrived_at(cycle, seen_at=now, missed_at=missed.get(hour), modified_at=at)
                run = schedule.came(run, hour, when)
                if not hour:
                    continue
                self.delays.append((now - at).total_seconds())
                self.known.append(Arrival(cycle, hour, when))
                if hour > anchor.hour:
                    anchor = self.known[-1]
                run = self.expect(run, table, anchor)
            look = turns.next_look(run, now)
            moments = [at for at, *_ in under_way] + ([look] if look else [])
            if not moments:
                continue
            now = max(now, min(moments))
            for done in [each for each in under_way if each[0] <= now]:
                under_way.remove(done)
                run = schedule.fetched(run, done[1], frozenset(), requests=done[2])
        return now, run

    def expect(self, run, table, anchor):
        pending = [h for h in run.files if h > anchor.hour]
        windows = {h: w for h in pending if (w := table.window(h, anchor)) is not None}
        return schedule.expecting(run, windows, chance=self.chance.random())

    @property
    def misses(self):
        return sum(not there for _, there in self.asked)


@pytest.fixture(scope="module")
def catalog(config_dir):
    return load(config_dir, {}).catalog


def follower(catalog, key, seed):
    return Follower(catalog.models[key], [catalog.products["t2m"]], random.Random(seed))


def learned_runs(catalog, key, *, runs, seed=1, **release):
    """Follow *runs* runs one after the other; yields the follower after each."""
    one = follower(catalog, key, seed)
    cycle = "2026012912"
    for _ in range(runs):
        out = released(key, cycle, one.chance, **release)
        now = one.find(cycle, out, min(out.values()) - timedelta(hours=1))
        now, run = one.follow(cycle, out, now)
        yield one, run
        cycle = next_cycle(one.model, cycle)


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.2])
def test_a_published_gfs_hour_costs_four_requests_at_most_polling_included(catalog, noise):
    """Its inventory, three answers of the filter, or two where looks in vain have to be saved."""
    runs = learned_runs(catalog, "gfs", runs=8, noise=noise)
    costs = [(one.spent + one.misses) / len(one.delays) for one, _ in runs]
    assert max(costs[:1]) <= 4.5  # nothing learned yet
    assert sum(costs[4:]) / len(costs[4:]) <= 4


@pytest.mark.parametrize(("key", "within_s"), [("gfs", 2.0), ("aigfs", 2.0), ("hrrr", 4.5)])
def test_once_learned_hours_are_asked_for_seconds_after_they_came(catalog, key, within_s):
    for number, (one, _) in enumerate(learned_runs(catalog, key, runs=8, noise=0.05)):
        if number >= 5:
            assert median(one.delays) <= within_s


def share_within(delays, share):
    return sorted(delays)[int(share * len(delays))]


def hrrr_followed(catalog, allowed, *, runs=10, noise=0.05):
    """Seconds that each hour of runs learned from was seen late, and what an hour has cost."""
    model = catalog.models["hrrr"].model_copy(update={"requests_per_hour": allowed})
    changed = catalog.model_copy(update={"models": {**catalog.models, "hrrr": model}})
    told = [
        (one.delays, (one.spent + one.misses) / len(one.delays))
        for one, _ in learned_runs(changed, "hrrr", runs=runs, noise=noise)
    ][4:]
    delays = [delay for each, _ in told for delay in each]
    return delays, sum(cost for _, cost in told) / len(told)


def test_hours_far_apart_are_seen_sooner_for_a_few_looks_more(catalog):
    """Most of the slowest are hours that come before their likeliest moment."""
    allowed = catalog.models["hrrr"].requests_per_hour
    usual, usual_cost = hrrr_followed(catalog, 4.0)
    sooner, cost = hrrr_followed(catalog, allowed)
    assert share_within(sooner, 0.9) < 0.5 * share_within(usual, 0.9)
    assert usual_cost < 4.5 < cost < allowed


@pytest.mark.parametrize(("noise", "within_s"), [(0.0, 2.5), (0.05, 5.0), (0.1, 9.0)])
def test_hrrr_hours_are_seen_within_seconds_as_irregular_as_they_come(catalog, noise, within_s):
    delays, _ = hrrr_followed(
        catalog, catalog.models["hrrr"].requests_per_hour, runs=14, noise=noise
    )
    assert share_within(delays, 0.95) < within_s


def test_the_first_hour_of_an_hrrr_run_is_looked_for_as_early_as_any_of_the_past_came(catalog):
    """Runs begin up to four minutes apart, none more often than another."""
    first = [
        one.delays[0]
        for seed in (1, 2, 3)
        for number, (one, _) in enumerate(
            learned_runs(catalog, "hrrr", runs=14, seed=seed, noise=0.05)
        )
        if number >= 6
    ]
    assert share_within(first, 0.9) < 8.0


def test_before_anything_is_learned_the_configured_cadence_serves_too(catalog):
    ((one, run),) = learned_runs(catalog, "gfs", runs=1, noise=0.05)
    assert median(one.delays) <= 5
    assert all(state.status.value == "fetched" for state in run.files.values())


@pytest.mark.parametrize("key", ["gfs", "hrrr", "aigfs"])
def test_no_hour_is_asked_for_that_cannot_exist(catalog, key):
    model, cycle = catalog.models[key], "2026012912"
    for one, _ in learned_runs(catalog, key, runs=3):
        assert {hour for hour, _ in one.asked} <= set(hours_of_cycle(model, cycle))
        cycle = next_cycle(model, cycle)


def followed(catalog, key, cycle, change, *, runs=4):
    """The follower and the end of a run whose release *change* has touched, some learned before."""
    one = follower(catalog, key, 5)
    before = cycle
    for _ in range(runs):
        before = f"{cycle_time(before) - timedelta(hours=6):%Y%m%d%H}"
    for _ in range(runs):
        out = released(key, before, one.chance, noise=0.05)
        one.follow(before, out, one.find(before, out, out[0] - timedelta(hours=1)))
        before = next_cycle(one.model, before)
    out = change(released(key, cycle, one.chance, noise=0.05))
    return one, out, *one.follow(cycle, out, one.find(cycle, out, out[0] - timedelta(hours=1)))


def test_a_run_that_stops_is_given_up_with_the_reason_and_asked_for_ever_more_rarely(catalog):
    one, out, ended, run = followed(
        catalog, "gfs", "2026012912", lambda out: {h: at for h, at in out.items() if h <= 120}
    )
    gone = {h: state for h, state in run.files.items() if state.gone}
    assert set(gone) == {h for h in run.files if h > 120}
    assert {state.reason for state in gone.values()} == {"not published"}
    assert f"nothing new since {out[120]:%H:%M} UTC" in gone[126].detail
    assert cycle_time("2026012912") + timedelta(hours=6) <= ended
    waited = ended - out[120]
    vain = sum(not there for _, there in one.asked) - len(gone)
    assert vain < waited / timedelta(minutes=1) * 1.5


def test_a_late_run_that_gets_on_is_not_cut_off_at_the_end_of_its_time(catalog):
    def late(out):
        return {h: at + timedelta(minutes=100) if h > 120 else at for h, at in out.items()}

    _, out, ended, run = followed(catalog, "gfs", "2026012912", late)
    assert out[384] > cycle_time("2026012912") + timedelta(minutes=360)
    assert not any(state.gone for state in run.files.values())
    assert ended - out[384] < timedelta(seconds=60)


def test_an_hour_that_never_comes_holds_up_the_others_for_minutes_only(catalog):
    def without(out):
        return {h: at for h, at in out.items() if h != 60}

    one, _, _, run = followed(catalog, "gfs", "2026012912", without)
    assert [h for h, state in run.files.items() if state.gone] == [60]
    assert max(one.delays) < 150
    assert one.delays[-1] < 60
    assert sum(hour == 60 for hour, _ in one.asked) < 120


def test_hours_out_of_order_are_all_taken(catalog):
    def swapped(out):
        return out | {60: out[63], 63: out[60], 90: out[99]}

    _, _, _, run = followed(catalog, "gfs", "2026012912", swapped)
    assert all(state.status.value == "fetched" for state in run.files.values())


def test_a_run_that_never_comes_is_left_for_the_next_one(catalog):
    one = follower(catalog, "gfs", 3)
    first, lost, found = "2026012900", "2026012906", "2026012912"
    out = released("gfs", first, one.chance)
    now = began = one.find(first, out, out[0])
    assert one.search.latest == first
    out = released("gfs", found, one.chance)
    now = one.find(found, out, now)
    assert one.search.latest == found
    assert (now - out[0]).total_seconds() < 40
    assert cycle_time(lost) < now
    assert one.misses < 20 * (now - began) / timedelta(hours=1)  # one in three minutes


def test_a_model_without_a_cadence_is_asked_twice_a_minute_at_most_until_its_own_is_learned(
    catalog,
):
    gfs = catalog.models["gfs"].model_copy(update={"cadence": ()})
    one, cycle, costs = Follower(gfs, [catalog.products["t2m"]], random.Random(2)), CYCLE, []
    for _ in range(5):
        out = released("gfs", cycle, one.chance, noise=0.05)
        found = one.find(cycle, out, min(out.values()) - timedelta(hours=1))
        vain = one.misses
        ended, run = one.follow(cycle, out, found)
        assert not any(state.gone for state in run.files.values())
        assert one.misses - vain <= (ended - found) / timedelta(seconds=0.8 * gfs.poll_s)
        costs.append((one.spent + one.misses) / len(one.delays))
        cycle = next_cycle(gfs, cycle)
    assert costs[-1] <= 4
