"""Totals that go on with what an earlier hour kept: the same bits, and less to decode."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from render_farm.domain.jobs import HourRendered, Reason
from render_farm.domain.places import Box
from render_farm.render.hour import render_hour
from render_farm.render.increments import RunningTotals
from render_farm.render.inputs import JobFields, Unusable
from tests.products.demo import write_demo
from tests.products.jobs import job_of
from twf_async.plan.orders import products_of, wanted_by_hour
from twf_async.replica.tree import CropBox
from twf_async.settings.load import load

CYCLE = "2026012912"
SNOW = ("snow_total", "snow_kuchera")
HOURS = {"gfs": (6, 9, 12, 15, 18, 24), "hrrr": (1, 2, 3, 4)}
BOX = CropBox.of(left=-126, right=-109, bottom=41, top=50)


@pytest.fixture(scope="module")
def shipped(config_dir):
    return load(config_dir, {}).catalog


@pytest.fixture(scope="module")
def pristine(shipped, tmp_path_factory):
    """model -> where its messages lie, of a few hours of the synthetic atmosphere."""
    found = {}
    for key, hours in HOURS.items():
        model = shipped.models[key]
        wanted = wanted_by_hour(model, products_of(shipped, model, SNOW), hours)
        found[key] = write_demo(model, CYCLE, wanted, BOX, tmp_path_factory.mktemp(key))
    return found


@pytest.fixture
def lies(pristine, tmp_path):
    """The same in files that a test may harm."""
    moved = {}
    for key, by_hour in pristine.items():
        (tmp_path / key).mkdir()
        moved[key] = {
            hour: {
                message: shutil.copy2(path, tmp_path / key)
                for message, path in by_hour[hour].items()
            }
            for hour in by_hour
        }
    return moved


@pytest.fixture
def job(shipped, lies, tmp_path):
    def make(model, hour, *, kept=True):
        region = shipped.regions["pnw"].model_copy(update={"width_px": 320, "height_px": 240})
        return job_of(
            shipped,
            shipped.models[model],
            CYCLE,
            hour,
            products=SNOW,
            lies=lies[model],
            region=region,
            directory=tmp_path,
            increment_dir=str(tmp_path / "increments") if kept else "",
        )

    return make


def pictures(job):
    """product -> digest of the picture; each hour alone, so that nothing but the store helps."""
    result = render_hour(job)
    assert isinstance(result, HourRendered)
    assert result.failures == ()
    return {frame.product: frame.sha256 for frame in result.frames}


class Counted(JobFields):
    """Fields that count how many messages were read."""

    count = 0

    def _read(self, sources):
        found = super()._read(sources)
        self.count += len(found)
        return found


def decoded(job, product="snow_kuchera", boxes=()):
    """How many messages are decoded to make a total, and the total."""
    (task,) = (task for task in job.tasks if task.product.key == product)
    fields = Counted((task,), job.cycle, boxes)
    derived = RunningTotals(job, fields).derived(task)
    assert not isinstance(derived, Unusable)
    return fields.count, derived.arrays["fill"]


def kept_files(tmp_path):
    return sorted((tmp_path / "increments").rglob("*.total"))


@pytest.mark.parametrize("model", ["gfs", "hrrr"])
def test_pictures_are_the_same_bit_for_bit_with_and_without_what_is_kept(model, job):
    for hour in HOURS[model]:
        assert pictures(job(model, hour)) == pictures(job(model, hour, kept=False)), hour


def test_an_hour_decodes_its_newest_increment_alone(job):
    counts = [decoded(job("gfs", hour))[0] for hour in HOURS["gfs"]]
    assert counts == [8, 16 - 8, 16 - 8, 24 - 16, 24 - 16, 32 - 24]
    assert [decoded(job("hrrr", hour))[0] for hour in HOURS["hrrr"]] == [6, 6, 6, 6]
    assert decoded(job("gfs", 24, kept=False))[0] == 32


def test_hours_may_come_in_any_order(job):
    one_go = decoded(job("gfs", 24, kept=False))[1]
    assert decoded(job("gfs", 18))[0] == 24
    assert decoded(job("gfs", 6))[0] == 8
    count, total = decoded(job("gfs", 24))
    assert count == 8
    assert total.tobytes() == one_go.tobytes()


def test_the_beginning_of_a_bucket_is_not_kept(job, tmp_path):
    decoded(job("gfs", 6))
    before = kept_files(tmp_path)
    decoded(job("gfs", 9))
    assert kept_files(tmp_path) == before


@pytest.mark.parametrize("harm", ["lost", "cut", "flipped", "empty", "swapped", "no store"])
def test_a_store_that_is_harmed_costs_time_and_no_truth(harm, job, tmp_path):
    decoded(job("gfs", 6))
    decoded(job("gfs", 12))
    expected = pictures(job("gfs", 18, kept=False))
    files = kept_files(tmp_path)
    for path in files:
        data = bytearray(path.read_bytes())
        match harm:
            case "lost":
                path.unlink()
            case "cut":
                path.write_bytes(data[: len(data) // 2])
            case "flipped":
                data[len(data) // 2] ^= 0x40
                path.write_bytes(data)
            case "empty":
                path.write_bytes(b"")
            case _:
                pass
    if harm == "swapped":
        first, second = (path.read_bytes() for path in files)
        files[0].write_bytes(second)
        files[1].write_bytes(first)
    if harm == "no store":
        shutil.rmtree(tmp_path / "increments")
        (tmp_path / "increments").write_text("in the way")

    assert pictures(job("gfs", 18)) == expected


def test_a_file_that_has_changed_is_read_anew(job, lies):
    """An upstream that replaces an hour must not leave its old snow in later totals."""
    decoded(job("gfs", 6))
    decoded(job("gfs", 12))
    (path,) = set(lies["gfs"][6].values())
    os.utime(path, ns=(1, 1))
    assert decoded(job("gfs", 18))[0] == 24


def test_another_part_of_the_grid_another_version_another_recipe_have_sums_of_their_own(job):
    decoded(job("gfs", 6))
    later = job("gfs", 12)
    assert decoded(later)[0] == 8
    assert decoded(replace(later, software="twf_async 99"))[0] == 16
    part = (Box(west=-124, east=-120, south=44, north=46),)
    assert decoded(later, boxes=part)[0] == 16
    assert decoded(later, boxes=part)[0] == 8
    assert decoded(later, "snow_total")[0] == 4


def test_an_earlier_file_that_is_damaged_fails_the_total_with_its_reason(job, lies):
    (path,) = set(lies["gfs"][6].values())
    data = Path(path).read_bytes()
    Path(path).write_bytes(data[: len(data) // 3])

    result = render_hour(job("gfs", 12))

    assert result.frames == ()
    assert {failure.reason for failure in result.failures} == {Reason.BAD_DATA}
    assert "damaged" in result.failures[0].detail


def test_a_picture_names_the_messages_that_were_not_decoded_for_it(job):
    """What a frame was made from does not depend on what was kept."""
    decoded(job("gfs", 6))
    made = job("gfs", 12)
    fields = JobFields(made.tasks, made.cycle)
    for task in made.tasks:
        RunningTotals(made, fields).derived(task)
        for sources in task.inputs.values():
            assert all(source in fields.offsets for source in sources)
