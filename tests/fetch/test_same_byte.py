"""A file whose connection breaks at the same byte each time, whoever asks and however often."""

from itertools import cycle

import pytest

from render_farm.domain.places import Box
from tests.fetch.fakes.messages import CUT_OUT, T2M, file_of, message
from tests.fetch.fakes.nomads import FakeNomads, chunked, ranged, spans_of
from twf_async.fetch.errors import BrokenStream
from twf_async.fetch.patience import Patience

AIGFS = (
    "/pub/data/nccf/com/aigfs/prod/aigfs.20260129/12/model/atmos/grib2/aigfs.t12z.sfc.f006.grib2"
)
HRRR = "/pub/data/nccf/com/hrrr/prod/hrrr.20260129/conus/hrrr.t12z.wrfsfcf06.grib2"
GFS = "/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
FILTER = "/cgi-bin/"
HRRR_GRID = (1799, 1059)
CONUS = Box(west=-125.0, east=-66.0, south=24.0, north=50.0)
ATTEMPTS = 5
PATIENCE = Patience(attempts=ATTEMPTS, scale=0.0005)
BREAK = 5000


def breaks_at(fake, path, byte, **layout):
    """Serve a file of which nothing comes from *byte* on."""
    content, idx = file_of(T2M, payload_bytes=20_000, **layout)
    fake.files |= {path: content, f"{path}.idx": idx.encode()}

    def reply(asked):
        if asked.path != path:
            return FakeNomads.reply(fake, asked)
        ((start, _),) = spans_of(asked)
        return ranged(content, asked, keep=max(byte - start, 0))

    fake.reply = reply
    return content, idx


def filter_breaks(fake, *places):
    """Serve a file whose cut-outs break off at these bytes, one after the other and again."""
    content, idx = file_of(T2M)
    fake.files |= {GFS: content, f"{GFS}.idx": idx.encode()}
    cut_out, left = message(T2M, grid=CUT_OUT, payload=bytes(20_000)), cycle(places)

    def reply(asked):
        if not asked.path.startswith(FILTER):
            return FakeNomads.reply(fake, asked)
        return chunked(cut_out[: next(left)], whole=False)

    fake.reply = reply
    return content, idx


def begins(fake, path):
    return [spans_of(asked)[0][0] for asked in fake.asked if asked.path == path]


async def test_it_is_given_up_for_now_after_the_usual_attempts_and_the_byte_is_told(
    nomads, running, aigfs, want
):
    breaks_at(nomads, AIGFS, BREAK)
    async with running(nomads.url, patience=PATIENCE) as fetcher:
        with pytest.raises(BrokenStream, match=f"5 times in a row after {BREAK}") as broken:
            await fetcher.hour(want(aigfs, T2M))

    assert begins(nomads, AIGFS) == [0] + [BREAK] * (ATTEMPTS - 1)
    assert broken.value.holds_run is False


async def test_the_mirror_is_asked_at_once(nomads, mirror, running, models, want):
    content, idx = breaks_at(nomads, HRRR, BREAK, grid=HRRR_GRID)
    copied = HRRR.removeprefix("/pub/data/nccf/com/hrrr/prod")
    mirror.files |= {copied: content, f"{copied}.idx": idx.encode()}
    async with running(nomads.url, aws_url=mirror.url, patience=PATIENCE) as fetcher:
        got = await fetcher.hour(want(models["hrrr"], T2M, box=CONUS))

    assert got.source == "aws"
    assert len(begins(nomads, HRRR)) == ATTEMPTS


async def test_a_server_that_only_breaks_connections_is_not_left_for_the_mirror_at_once(
    nomads, mirror, running, models, want
):
    """Whether it is the file cannot be told where nothing of it comes."""
    breaks_at(nomads, HRRR, 0, grid=HRRR_GRID)
    async with running(nomads.url, aws_url=mirror.url, patience=PATIENCE) as fetcher:
        with pytest.raises(BrokenStream) as broken:
            await fetcher.hour(want(models["hrrr"], T2M, box=CONUS))

    assert mirror.asked == []
    assert broken.value.holds_run is True


async def test_an_answer_of_the_filter_that_does_so_is_taken_from_the_mirror_at_once(
    nomads, mirror, running, gfs, want
):
    content, idx = filter_breaks(nomads, BREAK)
    copied = GFS.removeprefix("/pub/data/nccf/com/gfs/prod")
    mirror.files |= {copied: content, f"{copied}.idx": idx.encode()}
    async with running(nomads.url, aws_url=mirror.url, patience=PATIENCE) as fetcher:
        got = await fetcher.hour(want(gfs, T2M))

    assert got.source == "aws"
    assert sum(path.startswith(FILTER) for path in nomads.paths()) == ATTEMPTS


async def test_without_a_mirror_it_holds_up_no_other_hour_and_costs_no_ranges_of_the_same_file(
    nomads, running, gfs, want
):
    filter_breaks(nomads, BREAK)
    async with running(nomads.url, patience=PATIENCE) as fetcher:
        with pytest.raises(BrokenStream, match=f"5 times in a row after {BREAK}") as broken:
            await fetcher.hour(want(gfs, T2M))

    assert broken.value.holds_run is False
    assert GFS not in nomads.paths()


async def test_a_filter_that_breaks_off_here_and_there_is_asked_for_on(
    nomads, mirror, running, gfs, want
):
    filter_breaks(nomads, BREAK, BREAK + 1)
    async with running(nomads.url, aws_url=mirror.url, patience=PATIENCE) as fetcher:
        with pytest.raises(BrokenStream) as broken:
            await fetcher.hour(want(gfs, T2M))

    assert mirror.asked == []
    assert broken.value.holds_run is True
