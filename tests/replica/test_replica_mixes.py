"""Everything at once, and the page that lists it all."""

import re
from pathlib import Path

import aiohttp
import pytest

from tests.replica.asking import GFS, GFS_F006
from twf_async.replica.faults.kinds import Kind
from twf_async.replica.faults.mixes import mixed

FILE = f"{GFS}/gfs.t12z.pgrb2.0p25.f006"
PAGE = Path(__file__).parents[2] / "docs/replica.md"


def test_the_page_has_every_fault_and_no_other():
    tables = PAGE.read_text().partition("## Faults")[2].partition("## The hit log")[0]
    rows = re.findall(r"^\| (`.+?`) \|", tables, re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(kind.value for kind in Kind)


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_share_of_the_requests_goes_wrong_and_the_same_again(scripted, seed):
    logs = []
    for _ in range(2):
        script = mixed(0.3, seed, wait_s=0.01, without=[Kind.BAD_CHUNK, Kind.DRIP])
        async with scripted(script=script) as (client, replica):
            for number in range(100):
                asked = {"Range": f"bytes={number}-{number + 99}"} if number % 3 else {}
                path = (FILE, f"{FILE}.idx", f"{GFS_F006}&var_TMP=on&all_lev=on")[number % 3]
                try:
                    await client.get(path, **asked)
                except aiohttp.ClientError:
                    continue
            logs.append([(hit.path, hit.fault, hit.status) for hit in replica.hits])
    assert logs[0] == logs[1]
    assert 10 <= sum(bool(fault) for _, fault, _ in logs[0]) <= 60
