"""What was learned of files and sources is known after a reload as well."""

import pytest

from tests.fetch.fakes.errands import HandClock
from tests.fetch.fakes.messages import CUT_OUT, PRMSL, T2M, file_of, message
from tests.fetch.fakes.nomads import answer
from twf_async.fetch.errors import FieldsLacking, NotYetPublished, Unsettled
from twf_async.fetch.fetcher import Fetcher
from twf_async.fetch.patience import Patience
from twf_async.settings.service import FetchSettings, UpstreamSettings

GFS = "/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
MIRRORED = "/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
JUST_NOW = "Last-Modified: Thu, 29 Jan 2026 18:00:00 GMT"  # by the clock of the tests


class Reloading:
    """A fetcher with a clock that is moved by hand, and its own configuration once more."""

    def __init__(self, cache_dir, nomads_url, **upstream):
        self.clock, self._upstream = HandClock(), {"nomads_url": nomads_url, **upstream}
        self.fetcher = Fetcher(
            UpstreamSettings(**self._upstream),
            FetchSettings(),
            cache_dir=cache_dir,
            clock=self.clock,
            patience=Patience(attempts=1),
            requests_per_min=1e6,
        )

    async def reload(self, **other):
        await self.fetcher.reload(UpstreamSettings(**self._upstream | other), FetchSettings())


@pytest.fixture
async def started(tmp_path):
    running = []

    async def start(nomads_url, **upstream):
        running.append(Reloading(tmp_path / "cache", nomads_url, **upstream))
        await running[-1].fetcher.start()
        return running[-1]

    yield start
    for one in running:
        await one.fetcher.stop()


@pytest.fixture
def mirrored(mirror):
    content, idx = file_of(T2M)
    mirror.files |= {MIRRORED: content, f"{MIRRORED}.idx": idx.encode()}
    return mirror


async def test_an_hour_that_fails_since_before_it_is_taken_from_the_mirror_in_time(
    nomads, mirrored, started, gfs, want
):
    service = await started(nomads.url, aws_url=mirrored.url)
    with pytest.raises(NotYetPublished):
        await service.fetcher.hour(want(gfs, T2M))
    service.clock.move(10 * 60)
    await service.reload()
    service.clock.move(6 * 60)

    assert (await service.fetcher.hour(want(gfs, T2M))).source == "aws"


async def test_a_shorter_wait_for_the_mirror_counts_from_when_the_hour_began_to_fail(
    nomads, mirrored, started, gfs, want
):
    service = await started(nomads.url, aws_url=mirrored.url)
    with pytest.raises(NotYetPublished):
        await service.fetcher.hour(want(gfs, T2M))
    service.clock.move(6 * 60)
    await service.reload(fallback_after_min=5.0)

    assert (await service.fetcher.hour(want(gfs, T2M))).source == "aws"


async def test_another_nomads_is_not_held_to_what_the_old_one_failed_to_give(
    nomads, nobody, mirrored, started, gfs, want
):
    service = await started(nobody, aws_url=mirrored.url)
    assert (await service.fetcher.appeared(gfs, "2026012912", 6)).source == "aws"
    await service.reload(nomads_url=nomads.url)

    with pytest.raises(NotYetPublished):
        await service.fetcher.hour(want(gfs, T2M))
    assert [asked.path for asked in nomads.asked] == [f"{GFS}.idx"]


async def test_a_field_that_was_looked_for_twice_is_not_doubted_again(nomads, started, gfs, want):
    nomads.files[f"{GFS}.idx"] = file_of(T2M)[1].encode()
    nomads.filtered = lambda _: message(T2M, grid=CUT_OUT)
    service = await started(nomads.url, aws_url="")
    with pytest.raises(FieldsLacking):
        await service.fetcher.hour(want(gfs, T2M, PRMSL))
    await service.reload()

    assert (await service.fetcher.hour(want(gfs, T2M, PRMSL))).missing == {PRMSL}


async def test_a_file_that_failed_its_check_must_still_settle(nomads, started, gfs, want):
    content, idx = file_of(T2M)
    nomads.files |= {GFS: content, f"{GFS}.idx": idx.encode()}
    nomads.filtered = lambda _: b"no GRIB"
    service = await started(nomads.url, aws_url="")
    with pytest.raises(Exception, match="GRIB"):
        await service.fetcher.hour(want(gfs, T2M))
    await service.reload()
    nomads.filtered = lambda _: message(T2M, grid=CUT_OUT)
    nomads.script.append(("f006", answer(idx.encode())))
    nomads.script.append(("f006", answer(content, headers=[JUST_NOW])))

    with pytest.raises(Unsettled):
        await service.fetcher.hour(want(gfs, T2M))
