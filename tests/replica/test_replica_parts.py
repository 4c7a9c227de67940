"""Faults of answers to several ranges: what arrives is as the page says, and only for them."""

import re

import pytest

from tests.replica.asking import GFS
from twf_async.replica.faults.script import Fault

FILE = f"{GFS}/gfs.t12z.pgrb2.0p25.f006"
ASKED = "bytes=0-99,200-299,1000-1099"
RANGE = re.compile(rb"Content-Range: bytes (\d+)-(\d+)/")


def told(answer):
    """The ranges that an answer says it holds."""
    one = answer.headers.get("Content-Range", "")
    found = RANGE.findall(f"Content-Range: {one}".encode() if one else answer.body)
    return [f"{first.decode()}-{last.decode()}" for first, last in found]


@pytest.mark.parametrize(
    ("kind", "ranges"),
    [
        ("first_range", ["0-99"]),
        ("joined_ranges", ["0-1099"]),
        ("swapped_parts", ["1000-1099", "200-299", "0-99"]),
    ],
)
async def test_other_ranges_than_asked_for_come_once(kind, ranges, scripted, gfs_f006):
    async with scripted(Fault(kind, first=1)) as (client, replica):
        first, then = [await client.get(FILE, Range=ASKED) for _ in range(2)]

    assert first.status == then.status == 206
    assert told(first) == ranges
    assert gfs_f006[:100] in first.body
    assert told(then) == ["0-99", "200-299", "1000-1099"]
    assert [hit.fault for hit in replica.hits] == [kind, ""]
    assert [f"{a}-{b - 1}" for a, b in replica.hits[0].spans] == ranges


async def test_a_part_is_lost_by_the_seed(scripted):
    left = set()
    for seed in range(12):
        async with scripted(Fault("lost_part"), seed=seed) as (client, _):
            left.add(tuple(told(await client.get(FILE, Range=ASKED))))

    assert left == {
        ("0-99", "200-299"), ("0-99", "1000-1099"), ("200-299", "1000-1099"),
    }  # fmt: skip


async def test_a_boundary_is_another_than_announced_and_a_part_tells_another_range(scripted):
    async with scripted() as (client, replica):
        good = await client.get(FILE, Range=ASKED)
        announced = good.headers["Content-Type"].partition("boundary=")[2].encode()
        boundaries, ranges = set(), set()
        for seed in range(60):
            replica.play(Fault("other_boundary"), seed=seed)
            spoilt = await client.get(FILE, Range=ASKED)
            boundaries.add(spoilt.body.find(announced[:-1] + b"x"))
            assert spoilt.body.count(announced) == 3
            replica.play(Fault("other_range"), seed=seed)
            spoilt = await client.get(FILE, Range=ASKED)
            ranges.update(told(spoilt))

    assert len(boundaries) == 4
    assert {"1-100", "0-98", "100-198", "200-298", "1001-1100"} <= ranges


async def test_one_range_and_the_whole_file_are_not_touched(scripted, gfs_f006):
    faults = [Fault(kind) for kind in ("lost_part", "other_boundary", "other_range")]
    async with scripted(*faults) as (client, replica):
        whole = await client.get(FILE)
        one = await client.get(FILE, Range="bytes=10-19")

    assert (whole.body, one.body) == (gfs_f006, gfs_f006[10:20])
    assert [hit.fault for hit in replica.hits] == ["", ""]
