"""An inventory that is written while it is looked at: half of its lines first, then all."""

from tests.fetch.fakes.messages import CUT_OUT, CYCLE, PRMSL, T2M, T850, file_of, message
from tests.fetch.fakes.nomads import answer

GFS = "/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
KEYS = (T2M, PRMSL, T850)


def grows(nomads, keys=KEYS):
    """The inventory has its first line, and all of them when it is asked for again."""
    content, idx = file_of(*keys)
    nomads.files |= {GFS: content, f"{GFS}.idx": idx.encode()}
    nomads.filtered = lambda _: b"".join(message(key, grid=CUT_OUT) for key in keys)
    nomads.script.append((".idx", answer(idx.splitlines(keepends=True)[0].encode())))


async def test_all_fields_come_and_the_inventory_is_read_once_more(nomads, gfs, running, want):
    grows(nomads)
    async with running(nomads.url) as fetcher:
        await fetcher.appeared(gfs, CYCLE, 6)
        got = await fetcher.hour(want(gfs, *KEYS))

    assert got.missing == frozenset()
    assert {key for _, keys in got.files for key in keys} == set(KEYS)
    assert (len(nomads.paths(".idx")), len(nomads.asked)) == (2, 3)


async def test_what_was_gone_by_is_known_so_that_the_hour_is_not_taken_for_replaced(
    nomads, gfs, running, want
):
    grows(nomads)
    async with running(nomads.url) as fetcher:
        half = await fetcher.appeared(gfs, CYCLE, 6)
        got = await fetcher.hour(want(gfs, *KEYS))
        whole = await fetcher.appeared(gfs, CYCLE, 6, anew=True)

    assert got.inventory == whole.inventory != half.inventory


async def test_of_an_hour_that_was_here_in_part_the_inventory_of_the_rest_says_nothing(
    nomads, gfs, running, want
):
    grows(nomads)
    async with running(nomads.url) as fetcher:
        await fetcher.hour(want(gfs, T2M))
        got = await fetcher.hour(want(gfs, *KEYS))

    assert got.missing == frozenset()
    assert got.inventory == ""
