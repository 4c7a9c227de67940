"""Real GFS and HRRR messages from the loopback NOMADS, through the real filter and byte ranges."""

from pathlib import Path

import pytest

from render_farm.domain import grib2
from render_farm.domain.fields import FieldSpec
from render_farm.domain.places import Box
from tests.fetch.conftest import PNW
from twf_async.clock import Clock
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.hits import HitLog
from twf_async.replica.main import running_replica

GFS_CYCLE, HRRR_CYCLE = "2026012912", "2026012917"
CONUS = Box(west=-125, east=-66, south=24, north=50)


@pytest.fixture
async def replica(test_data):
    hits = HitLog(Clock())
    async with running_replica(DirectoryTree(test_data / "nomads"), hits=hits) as url:
        yield url, hits


def keys(hour, *fields):
    found = set()
    for field in fields:
        found |= {key for _, key in FieldSpec.parse(field).messages(hour, 1) or ()}
    return found


def content_of(path):
    return Path(path).read_bytes()


def heads(fetched):
    for path, _ in fetched.files:
        with Path(path).open("rb") as stream:
            yield from grib2.walk(stream)


@pytest.mark.parametrize(
    ("hour", "there", "not_there"),
    [
        (0, ["TMP:2 m above ground"], ["TMP:850 mb", "PRMSL:mean sea level"]),
        (
            6,
            ["TMP:2 m above ground", "TMP:850 mb", "UGRD:850 mb", "VGRD:850 mb",
             "PRMSL:mean sea level"],
            ["APCP:surface:0-H acc", "REFC:entire atmosphere"],
        ),
    ],
)  # fmt: skip
async def test_gfs_comes_cut_to_the_box_through_the_filter(
    hour, there, not_there, replica, gfs, running, want
):
    url, _ = replica
    wanted, absent = keys(hour, *there), keys(hour, *not_there)

    async with running(url) as fetcher:
        fetched = await fetcher.hour(want(gfs, *wanted, *absent, hour=hour, cycle=GFS_CYCLE))

    assert (fetched.method, fetched.missing) == ("FILTERED", absent)
    found = list(heads(fetched))
    assert wanted <= {head.key for head in found}
    assert "2 mb" not in {head.key.level for head in found}
    for head in found:
        assert head.cycle == GFS_CYCLE
        assert head.grid.points == 69 * 34
        (south, west), (north, east) = head.grid.corners
        assert (south, north) == (41.25, 49.5)
        assert (west, east) == (234.0, 251.0)
    assert fetched.bytes < 60_000


async def test_2_hpa_never_comes_with_2_m_alone(replica, gfs, running, want):
    url, _ = replica
    for hour in (0, 6):
        async with running(url) as fetcher:
            fetched = await fetcher.hour(
                want(gfs, *keys(hour, "TMP:2 m above ground"), hour=hour, cycle=GFS_CYCLE)
            )
        assert [head.key.level for head in heads(fetched)] == ["2 m above ground"]


@pytest.mark.parametrize(
    ("hour", "fields", "there"),
    [
        (0, ["TMP:2 m above ground", "REFC:entire atmosphere", "PRATE:surface"], 2),
        (1, ["TMP:2 m above ground", "REFC:entire atmosphere", "APCP:surface:0-H acc"], 2),
        (6, ["TMP:2 m above ground", "REFC:entire atmosphere", "APCP:surface:0-H acc"], 2),
    ],
)
@pytest.mark.parametrize(("box", "method"), [(PNW, "FILTERED"), (CONUS, "RANGES")])
async def test_hrrr_is_cut_for_a_region_and_ranged_for_the_country(
    hour, fields, there, box, method, replica, models, running, want
):
    url, hits = replica
    wanted = keys(hour, *fields)

    async with running(url) as fetcher:
        fetched = await fetcher.hour(
            want(models["hrrr"], *wanted, hour=hour, cycle=HRRR_CYCLE, box=box)
        )

    assert fetched.method == method
    found = {head.key for head in heads(fetched)} & wanted
    assert len(found) == there
    assert fetched.missing == wanted - found
    cut = {head.grid.points < 1_905_141 for head in heads(fetched)}
    assert cut == {method == "FILTERED"}
    assert len(hits.hits) == fetched.requests


async def test_byte_ranges_are_the_very_bytes_of_the_file(
    replica, models, running, want, test_data
):
    url, _ = replica
    wanted = keys(6, "APCP:surface:0-H acc", "CSNOW:surface")
    async with running(url) as fetcher:
        fetched = await fetcher.hour(want(models["hrrr"], *wanted, cycle=HRRR_CYCLE, box=CONUS))

    whole = next((test_data / "nomads").rglob("hrrr.t17z.wrfsfcf06.grib2")).read_bytes()
    ((path, found),) = fetched.files
    assert wanted <= set(found)
    content = content_of(path)
    assert content in whole or all(
        content[h.offset : h.offset + h.length] in whole for h in heads(fetched)
    )


async def test_the_newest_runs_of_the_real_files_are_found(replica, gfs, models, running):
    url, _ = replica
    async with running(url) as fetcher:
        assert await fetcher.newest_cycle(gfs) == GFS_CYCLE
        assert await fetcher.newest_cycle(models["hrrr"]) == HRRR_CYCLE
        assert await fetcher.newest_cycle(models["aigfs"]) is None
        assert not await fetcher.exists(gfs, GFS_CYCLE, 3)
