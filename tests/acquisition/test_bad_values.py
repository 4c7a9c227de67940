"""Answers that are whole and whose values cannot be: taken anew, or given up within bounds.

Real messages of HRRR as they are, differences of differences: a bit that flips tilts the field.
"""

import json
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from tests.acquisition.rehearsal import REPOSITORY
from twf_async.app.assembly import assembled
from twf_async.fetch.distrust import MOST, OFTEN_ENOUGH
from twf_async.fetch.patience import Patience
from twf_async.pipeline.report import RunRequest
from twf_async.pipeline.run import RunPipeline
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.faults.script import Fault
from twf_async.replica.running import running
from twf_async.settings.load import load

CYCLE = "2026012917"
REQUEST = RunRequest("hrrr", CYCLE, hours=(0, 1), products=("t2m",), regions=("pnw",), wait=False)


@dataclass
class Ran:
    """What became of a run. frames: hour -> its record in the manifest."""

    frames: dict = field(default_factory=dict)
    log: list = field(default_factory=list)
    hits: list = field(default_factory=list)

    def events(self, name):
        return [line for line in self.log if line["event"] == name]


@pytest.fixture
def run(tmp_path, test_data, context):
    async def _run(*faults, name="run") -> Ran:
        root = tmp_path / name
        async with running(DirectoryTree(test_data / "nomads"), *faults) as replica:
            environ = {
                "TWF_STATE_DIR": str(root / "state"),
                "TWF_CACHE_DIR": str(root / "cache"),
                "TWF_PUBLISH_DIR": str(root / "publish"),
                "TWF_UPSTREAM__NOMADS_URL": replica.url,
                "TWF_UPSTREAM__REQUESTS_PER_MIN": "6000",
                "TWF_FARM__WORKERS": "1",
                "TWF_REGIONS__PNW__WIDTH_PX": "320",
                "TWF_REGIONS__PNW__HEIGHT_PX": "300",
                "TWF_MODELS__HRRR__FILES": (
                    '[{ path = "hrrr/prod/hrrr.{date}/conus/hrrr.t{cc}z.wrfsfcf{hour:02d}.grib2" }]'
                ),
            }
            settings = load(REPOSITORY / "config", environ)
            patience = Patience(attempts=settings.service.fetch.attempts, scale=0.002)
            with capture_logs() as log:
                async with assembled(lambda: settings, context, patience=patience) as parts:
                    await RunPipeline(REQUEST, parts.workshop).run()
            manifest = root / "publish" / "maps" / "hrrr" / CYCLE / "manifest.json"
            frames = json.loads(manifest.read_text())["frames"]["pnw"]["t2m"]
            return Ran(frames, log, replica.hits)

    return _run


def flips(**more) -> Fault:
    """Bits of hour 1 change, in each answer other ones."""
    return Fault("flip", path="*f01.grib2", on=("grib",), count=4, **more)


def hashes(ran):
    return {hour: frame.get("hash") for hour, frame in ran.frames.items()}


async def test_an_hour_that_came_damaged_once_is_taken_anew_and_shown_as_it_is(run):
    truth = await run(name="truth")

    ran = await run(flips(first=1))

    assert {frame["state"] for frame in truth.frames.values()} == {"published"}
    assert hashes(ran) == hashes(truth)
    (said,) = ran.events("pipeline.fields_distrusted")
    assert (said["hour"], said["files"], said["products"]) == (1, [1], ["t2m"])
    assert [line["reason"] for line in ran.events("fetch.file_discarded")] == ["bad values"]


async def test_an_hour_that_comes_damaged_in_ever_other_ways_is_given_up_after_some(run):
    ran = await run(flips())

    assert ran.frames["f000"]["state"] == "published"
    lost = ran.frames["f001"]
    assert (lost["state"], lost["reason"]) == ("failed", "bad data")
    assert OFTEN_ENOUGH in lost["detail"]
    assert sum(hit.fault == "flip" for hit in ran.hits) == MOST + 1
    assert len(ran.events("pipeline.fields_given_up")) == 1
