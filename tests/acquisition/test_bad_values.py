"""Answers that are whole and whose values cannot be: taken anew, or given up within bounds."""

import pytest

from tests.acquisition.rehearsal import Stage, rehearsed
from twf_async.fetch.distrust import MOST, OFTEN_ENOUGH
from twf_async.replica.faults.script import Fault

CYCLE, SPOILT = "2026012917", 1
RANGES = {  # HRRR without its filter script: messages as they are, differences of differences
    "TWF_MODELS__HRRR__FILES": (
        '[{ path = "hrrr/prod/hrrr.{date}/conus/hrrr.t{cc}z.wrfsfcf{hour:02d}.grib2" }]'
    )
}
STAGE = Stage(
    {"hrrr": [CYCLE]},
    hours={"hrrr": "0-2"},
    products={"hrrr": ("t2m",)},
    settings=RANGES,
    speed=400.0,
)


def flips(**more) -> Fault:
    return Fault("flip", path=f"*f{SPOILT:02d}.grib2", on=("grib",), count=400, **more)


@pytest.fixture(scope="module")
def known():
    """The truth, once it has been found out."""
    return {}


@pytest.fixture
async def truth(known, tmp_path_factory, test_data, context, maps):
    if not known:
        root = tmp_path_factory.mktemp("truth")
        run = await rehearsed(root, test_data, STAGE, context, maps=maps)
        known.update(run.shown["hrrr", CYCLE])
    return known


async def test_an_hour_that_came_damaged_once_is_taken_anew_and_shown_as_it_is(
    tmp_path, test_data, context, maps, truth
):
    run = await rehearsed(tmp_path, test_data, STAGE, context, flips(first=1), maps=maps)

    assert run.shown["hrrr", CYCLE] == truth
    assert {frame.state for frame in truth.values()} == {"published"}
    (said,) = run.events("pipeline.fields_distrusted")
    assert (said["hour"], said["files"], said["products"]) == (SPOILT, [SPOILT], ["t2m"])
    assert [line["reason"] for line in run.events("fetch.file_discarded")] == ["bad values"]


async def test_an_hour_that_comes_damaged_in_ever_other_ways_is_given_up_after_some(
    tmp_path, test_data, context, maps, truth
):
    run = await rehearsed(tmp_path, test_data, STAGE, context, flips(), maps=maps)

    frames = run.shown["hrrr", CYCLE]
    lost = frames.pop(("t2m", SPOILT))
    assert (lost.state, lost.reason) == ("failed", "bad data")
    assert OFTEN_ENOUGH in lost.detail
    assert frames == {name: frame for name, frame in truth.items() if name in frames}
    assert sum(hit.fault == "flip" for hit in run.hits) == MOST + 1
