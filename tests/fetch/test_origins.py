"""Files of another model under the right name: of another centre, ensemble or process."""

import struct

import pytest

from tests.domain import gribsmith
from tests.fetch.fakes.errands import errand
from tests.fetch.fakes.messages import CUT_OUT, T2M, file_of
from twf_async.fetch.errors import WrongOrigin
from twf_async.fetch.origins import Origins

GFS = "/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
NCEP, ECMWF = 7, 98
USUAL, MEMBER = frozenset({(NCEP, False)}), frozenset({(NCEP, True)})


def cut_out(*, center=NCEP, member=False, process=96):
    """A field as the filter gives it. member: the first one of an ensemble."""
    product = bytearray(gribsmith.instant(0, 0, 6, kind=103, value=2)[5:])
    product[2:4] = struct.pack(">H", int(member))
    product[8] = process
    return gribsmith.message(
        gribsmith.identification(center=center),
        gribsmith.grid(*CUT_OUT),
        gribsmith.section(4, bytes(product) + bytes([3, 1, 31] * member)),
        gribsmith.packing(CUT_OUT[0] * CUT_OUT[1]),
        gribsmith.bitmap(),
        gribsmith.section(7, bytes(4)),
    )


def publish(nomads, content, *, members=False):
    idx = file_of(T2M)[1]
    idx = idx.replace(":\n", ":ENS=+1\n") if members else idx
    nomads.files |= {f"{GFS[:-1]}{hour}.idx": idx.encode() for hour in (6, 7)}
    nomads.filtered = lambda _: content


async def test_a_member_of_which_the_inventory_says_nothing_is_refused(
    nomads, running, gfs, want, tmp_path
):
    publish(nomads, cut_out(member=True))
    async with running(nomads.url) as fetcher:
        with pytest.raises(WrongOrigin, match="of a member of an ensemble") as refused:
            await fetcher.hour(want(gfs, T2M))

    assert refused.value.holds_run is False
    assert len(nomads.asked) == 2  # to ask at once for the same would bring the same
    assert list((tmp_path / "cache").rglob("*.grib2")) == []


async def test_a_model_of_members_whose_inventory_says_so_is_taken(nomads, running, gfs, want):
    publish(nomads, cut_out(member=True), members=True)
    async with running(nomads.url) as fetcher:
        assert (await fetcher.hour(want(gfs, T2M))).missing == frozenset()


async def test_another_generating_process_is_taken_knowingly(nomads, running, gfs, want):
    """GFS has 81 in its first hour and 96 in the others."""
    async with running(nomads.url) as fetcher:
        publish(nomads, cut_out(process=96))
        await fetcher.hour(want(gfs, T2M))
        publish(nomads, cut_out(process=81))
        got = await fetcher.hour(want(gfs, T2M, hour=7))

    assert got.method == "FILTERED"


def test_another_centre_or_a_member_is_refused_until_a_second_hour_is_of_it_too(models):
    origins, gfs = Origins(), models["gfs"]
    origins.require(errand(gfs, hour=0), USUAL)
    for _ in range(2):
        with pytest.raises(WrongOrigin, match=r"of centre 98, those .* are of centre 7$"):
            origins.require(errand(gfs, hour=1), frozenset({(ECMWF, False)}))
    with pytest.raises(WrongOrigin, match="of centre 7, a member of an ensemble, those"):
        origins.require(errand(gfs, hour=2), MEMBER)

    origins.require(errand(gfs, hour=3), MEMBER)
    origins.require(errand(gfs, hour=2), MEMBER)
    origins.require(errand(models["aigfs"], hour=0), frozenset({(ECMWF, False)}))
