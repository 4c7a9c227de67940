"""The machine's clock is an hour off, either way: what other sides say of time is taken over."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from structlog.testing import capture_logs

from tests.fetch.fakes.messages import CYCLE, PRMSL, T2M, file_of
from tests.fetch.fakes.nomads import FakeNomads
from twf_async.fetch import skew
from twf_async.fetch.errors import Unsettled

HOUR_S = 3600
GFS = "/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f{:03d}"
MIRRORED = "/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"


def goes_by(fake, ahead_s, *, written_s_ago, age_s=0):
    """Have a server tell times by a clock that is so far ahead of the machine's."""
    stamps = list(ahead_s) if isinstance(ahead_s, tuple) else None

    def reply(asked):
        ahead = stamps.pop(0) if stamps else 0 if stamps is not None else ahead_s
        now = datetime.now(UTC) + timedelta(seconds=ahead)
        written = now - timedelta(seconds=written_s_ago)
        status, _, rest = FakeNomads.reply(fake, asked).partition(b"\r\n")
        rest = rest.replace(b"Last-Modified:", b"X-Last-Modified:")
        told = {"Last-Modified": format_datetime(written, usegmt=True), "Age": str(age_s)}
        told["Date"] = format_datetime(now - timedelta(seconds=age_s), usegmt=True)
        heads = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return status + b"\r\n" + heads.encode() + rest

    fake.reply = reply


async def looks(fetcher, gfs, *hours):
    return [await fetcher.appeared(gfs, CYCLE, hour) for hour in hours]


def seconds_ago(moment):
    return (datetime.now(UTC) - moment).total_seconds()


@pytest.fixture
def published(nomads):
    for hour in range(4):
        nomads.files[GFS.format(hour) + ".idx"] = file_of(T2M, PRMSL)[1].encode()
    return nomads


@pytest.mark.parametrize("ahead_s", [HOUR_S, -HOUR_S])
async def test_hours_came_when_they_did_and_the_operator_is_told_once(
    ahead_s, published, running, gfs
):
    goes_by(published, ahead_s, written_s_ago=60)
    with capture_logs() as logs:
        async with running(published.url, now=None) as fetcher:
            seen = await looks(fetcher, gfs, 0, 1, 2, 3)

    assert all(50 < seconds_ago(one.modified_at) < 600 for one in seen[1:])
    (told,) = [line for line in logs if line["event"] == "fetch.clock_off"]
    assert told["source"] == "nomads"
    assert told["ahead_s"] == pytest.approx(-ahead_s, abs=300)


async def test_one_answer_of_another_time_and_answers_from_a_cache_say_nothing_of_our_clock(
    published, running, gfs
):
    with capture_logs() as logs:
        async with running(published.url, now=None) as fetcher:
            goes_by(published, (0, -HOUR_S, 0), written_s_ago=60)
            await looks(fetcher, gfs, 0, 1, 2)
            goes_by(published, 0, written_s_ago=60, age_s=HOUR_S)
            await fetcher.appeared(gfs, CYCLE, 0, anew=True)
            await fetcher.appeared(gfs, CYCLE, 1, anew=True)

    assert [line for line in logs if line["event"] == "fetch.clock_off"] == []


async def anew(fetcher, gfs, times):
    return [await fetcher.appeared(gfs, CYCLE, 0, anew=True) for _ in range(times)]


async def test_old_answers_of_a_cache_that_tells_no_age_say_nothing_of_our_clock(
    published, running, gfs
):
    with capture_logs() as logs:
        async with running(published.url, now=None) as fetcher:
            goes_by(published, (0, -HOUR_S, -HOUR_S, 0), written_s_ago=60)
            *_, last = await anew(fetcher, gfs, 4)

    assert [line for line in logs if line["event"] == "fetch.clock_off"] == []
    assert 50 < seconds_ago(last.modified_at) < 600


async def test_what_old_answers_said_at_first_is_taken_back_though_others_come_between(
    published, running, gfs
):
    async with running(published.url, now=None) as fetcher:
        goes_by(published, (-HOUR_S, -HOUR_S, 0, -HOUR_S, 0), written_s_ago=60)
        *_, last = await anew(fetcher, gfs, 5)

    assert 50 < seconds_ago(last.modified_at) < 600


@pytest.mark.parametrize(
    ("ahead_s", "lately_s"), [(HOUR_S, 600.0), (-HOUR_S, 0.0)], ids=["back", "forward"]
)
async def test_a_clock_that_was_put_back_is_noticed_at_once_and_one_put_forward_after_a_while(
    ahead_s, lately_s, published, running, gfs, monkeypatch
):
    monkeypatch.setattr(skew, "_LATELY_S", lately_s)
    async with running(published.url, now=None) as fetcher:
        goes_by(published, (0, ahead_s, ahead_s), written_s_ago=60)
        *_, last = await anew(fetcher, gfs, 3)

    assert 50 < seconds_ago(last.modified_at) < 600


async def test_a_file_that_is_just_being_written_has_not_rested_though_our_clock_is_ahead(
    nobody, mirror, running, gfs, want
):
    content, idx = file_of(T2M)
    mirror.files |= {MIRRORED: content, f"{MIRRORED}.idx": idx.encode()}
    goes_by(mirror, -HOUR_S, written_s_ago=1)
    async with running(nobody, aws_url=mirror.url, now=None) as fetcher:
        with pytest.raises(Unsettled):
            await fetcher.hour(want(gfs, T2M))


NOON, EVENING = "2026012912", "2026012918"


@pytest.mark.parametrize(
    ("at", "there", "found", "in_vain"),
    [("22:00", (NOON,), NOON, 1), ("20:30", (NOON, EVENING), NOON, 0)],
    ids=["an hour ahead", "an hour behind"],
)
async def test_a_run_is_looked_for_by_our_clock_in_vain_or_late_but_no_other_is_taken_for_it(
    at, there, found, in_vain, nomads, running, gfs
):
    """Truly at 21:00, before the evening's run has come; and at 21:30, just after it."""
    for cycle in there:
        first = GFS.format(0).replace("/12/", f"/{cycle[8:]}/").replace("t12z", f"t{cycle[8:]}z")
        nomads.files[f"{first}.idx"] = file_of(T2M, cycle=cycle)[1].replace(CYCLE, cycle).encode()
    now = datetime.fromisoformat(f"2026-01-29T{at}Z")
    async with running(nomads.url, now=now) as fetcher:
        assert await fetcher.newest_cycle(gfs) == found

    assert len(nomads.asked) == in_vain + 1
