"""Files of true layout that nobody has stored."""

import asyncio
import sys

import aiohttp
import pytest

from tests.replica.asking import GFS, GFS_FILTER, HRRR, Client, messages_of
from twf_async.clock import Clock
from twf_async.replica.atmosphere.synthetic_tree import SyntheticTree
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.faults.script import Fault
from twf_async.replica.sparse import SparseTree
from twf_async.replica.wording import read_inventory

F000 = f"{GFS}/gfs.t12z.pgrb2.0p25.f000"
F006 = f"{GFS}/gfs.t12z.pgrb2.0p25.f006"
F024 = f"{GFS}/gfs.t12z.pgrb2.0p25.f024"
HRRR_FILE = f"{HRRR}/hrrr.t17z.wrfsfcf06.grib2"


@pytest.fixture(scope="module")
def sparse(test_data):
    return SparseTree(test_data / "idx", [DirectoryTree(test_data / "nomads")])


def line_of(text, size, parameter, level):
    return next(
        m for m in read_inventory(text, size) if (m.parameter, m.level) == (parameter, level)
    )


@pytest.mark.parametrize(
    ("path", "lines", "mega"), [(F006, 743, 535), (F024, 743, 538), (HRRR_FILE, 173, 154)]
)
async def test_size_and_idx_are_those_of_the_real_file(
    scripted, sparse, test_data, path, lines, mega
):
    async with scripted(tree=sparse) as (client, _):
        size = int((await client.get(path, "HEAD")).headers["Content-Length"])
        assert abs(size / 1e6 - mega) < 1.5
        text = (await client.get(f"{path}.idx")).text
        assert text == (test_data / "idx" / f"{path.rpartition('/')[2]}.idx").read_text()
        assert len(read_inventory(text, size)) == lines
        assert (
            (await client.get(path, Range="bytes=-1")).headers["Content-Range"].endswith(f"/{size}")
        )


async def test_real_messages_lie_at_their_true_offsets_between_zeros(scripted, sparse, gfs_f006):
    async with scripted(tree=sparse) as (client, _):
        text, size = (await client.get(f"{F006}.idx")).text, 535_000_000
        tmp = line_of(text, size, "TMP", "2 m above ground")
        end = tmp.offset + tmp.length
        asked = f"bytes={tmp.offset}-{end - 1}"
        octets = (await client.get(F006, Range=asked)).body
        assert octets == messages_of(gfs_f006)[-1].octets
        around = await client.get(F006, Range=f"bytes={tmp.offset - 5}-{end + 4}")
        assert around.body == bytes(5) + octets + bytes(5)
        hole = line_of(text, size, "HGT", "10 mb")
        answer = await client.get(F006, Range=f"bytes={hole.offset}-{hole.offset + 3_000_000}")
        assert (answer.status, answer.body) == (206, bytes(3_000_001))


async def test_the_filter_gives_an_unknown_constant_for_a_hole(scripted, sparse):
    box = "&leftlon=235&rightlon=245&bottomlat=40&toplat=48"
    ask = f"{GFS_FILTER}&file=gfs.t12z.pgrb2.0p25.f006&var_TMP=on&var_DPT=on"
    async with scripted(tree=sparse) as (client, _):
        answer = await client.get(f"{ask}&lev_2_m_above_ground=on{box}")
        tmp, dpt = messages_of(answer.body)
        assert tmp.shape == dpt.shape == (33, 41)
        assert tmp.keys["shortName"] == "2t"
        assert dpt.keys["shortName"] == "unknown"
        assert set(dpt.values) == {0.0}


async def test_synthetic_messages_fill_the_room_that_is_theirs(scripted, test_data, tmp_path):
    tree = SyntheticTree(Clock(start=Clock().now().replace(2026, 1, 29, 20), speed=0.0), tmp_path)
    sparse = SparseTree(test_data / "idx", [DirectoryTree(test_data / "nomads"), tree])
    async with scripted(tree=sparse) as (client, _):
        text, size = (await client.get(f"{F000}.idx")).text, 501_000_000
        wanted = {"TMP:2 m above ground", "CICEP:surface", "UGRD:850 mb"}
        named = [m for m in read_inventory(text, size) if f"{m.parameter}:{m.level}" in wanted]
        assert len(named) == 3
        for message in named:
            end = message.offset + message.length
            asked = f"bytes={message.offset}-{end - 1}"
            octets = (await client.get(F000, Range=asked)).body
            assert len(octets) == message.length
            (field,) = messages_of(octets)
            assert field.keys["dataDate"] == 20260129
            assert field.shape == (721, 1440)
            constant = field.values.min() == field.values.max()
            assert bool(constant) is (message.length < 2000)


async def test_it_is_listed_and_can_be_wrong_as_any_other_tree(scripted, sparse):
    async with scripted(Fault("rerun", path="f006"), tree=sparse) as (client, _):
        listing = (await client.get(f"{GFS}/")).text
        assert "gfs.t12z.pgrb2.0p25.f006.idx" in listing
        assert (await client.get(f"{GFS.rpartition('/')[0]}/")).status == 200
        assert (await client.get(f"{GFS}/nothing")).status == 404
        size = int((await client.get(F006, "HEAD")).headers["Content-Length"])
        text = (await client.get(f"{F006}.idx")).text
        tmp = line_of(text, size, "TMP", "2 m above ground")
        asked = f"bytes={tmp.offset}-{tmp.offset + tmp.length - 1}"
        (message,) = messages_of((await client.get(F006, Range=asked)).body)
        assert message.keys["shortName"] == "2t"


async def test_the_program_serves_it(test_data):
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twf_async.replica", "--sparse", test_data / "idx"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert program.stdout is not None
    try:
        url = (await program.stdout.readline()).decode().strip()
        async with aiohttp.ClientSession() as session:
            answer = await Client(session, url).get(F006, "HEAD")
            assert int(answer.headers["Content-Length"]) > 534_000_000
    finally:
        program.terminate()
        assert await program.wait() == 0


def test_a_folder_without_an_idx_is_refused(tmp_path):
    (tmp_path / "README.idx").write_text("no inventory")
    with pytest.raises(FileNotFoundError, match="no .idx"):
        SparseTree(tmp_path)
