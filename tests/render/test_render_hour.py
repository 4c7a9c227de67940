import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from render_farm.decode.read import read
from render_farm.domain.jobs import HourFailed, HourRendered, Reason
from render_farm.domain.style import Style
from render_farm.draw.colours import bin_colours, levels_si
from render_farm.draw.viewport import Viewport
from render_farm.encode.png import read_texts
from render_farm.render.hour import render_hour
from tests.upkeep.mounts import make_read_only, mounted

GFS, HRRR = "2026012912", "2026012917"


def only_frame(result):
    assert isinstance(result, HourRendered)
    assert result.failures == ()
    (frame,) = result.frames
    return frame


def pixels(frame):
    return np.asarray(Image.open(frame.path).convert("RGB"))


def keys(items):
    return sorted((item.region, item.product) for item in items)


@pytest.mark.parametrize(
    ("model", "cycle", "hour", "product", "kernel"),
    [
        ("gfs", GFS, 6, "t2m", "cubic"),
        ("gfs", GFS, 6, "t850", "cubic"),
        ("hrrr", HRRR, 1, "t2m", "cubic"),
        ("hrrr", HRRR, 6, "precip_total", "linear"),
    ],
)
def test_the_pixel_at_a_place_has_the_bin_of_the_value_there(
    model, cycle, hour, product, kernel, make_job, real_file, catalog, kernel_value
):
    """Only pixels in a pure colour of the scale count: lines and text lie over the others."""
    job = make_job(real_file(model, hour), model, cycle, hour, [product], size=(1200, 900))
    task = job.tasks[0]
    bare = task.product.model_copy(update={"lines": (), "wind": None, "stations": None})
    image = pixels(only_frame(render_hour(_with(job, bare))))
    (source,) = task.inputs["value"]
    field = read([source], cycle=cycle)[source]
    viewport = Viewport.of(job.regions[0])
    display = task.scales["fill"].imperial
    colours = bin_colours(display)
    rng = np.random.default_rng(4)
    row = rng.integers(0, viewport.rect.height, 1000)
    column = rng.integers(0, viewport.rect.width, 1000)

    at = field.grid.index(*viewport.lonlat_of_pixels(column, row))
    values = kernel_value(field.values, *at, kernel)
    bins = np.searchsorted(levels_si(display), values, side="right")

    painted = image[row + viewport.rect.top, column + viewport.rect.left]
    known = {colour: k for k, colour in enumerate(colours) if colour is not None}
    got = np.array([known.get(tuple(rgb), -1) for rgb in painted.tolist()])
    sure = got >= 0
    if None not in colours:
        assert sure.mean() > 0.8
    assert sure.sum() > 20
    assert (got == bins)[sure].mean() >= 0.995
    assert np.abs(got - bins)[sure].max() <= 1


def _with(job, product):
    from dataclasses import replace

    return replace(job, tasks=(replace(job.tasks[0], product=product),))


def test_frames_and_failures_cover_the_job(make_job, real_file):
    wanted = ["t2m", "wind10m", "precip_total", "refc"]
    job = make_job(real_file("hrrr", 6), "hrrr", HRRR, 6, wanted)

    result = render_hour(job)

    assert keys(result.frames) == [("pnw", "precip_total"), ("pnw", "refc")]
    assert keys(result.failures) == [("pnw", "t2m"), ("pnw", "wind10m")]
    assert {failure.reason for failure in result.failures} == {Reason.FIELD_MISSING}
    assert "TMP:2 m above ground" in result.failures[0].detail


def test_a_frame_is_what_its_entry_says(make_job, real_file):
    frame = only_frame(render_hour(make_job(real_file("gfs", 0), "gfs", GFS, 0, ["t2m"])))

    data = Path(frame.path).read_bytes()
    assert Path(frame.path).name == "pnw.t2m.png"
    assert len(data) == frame.bytes
    assert hashlib.sha256(data).hexdigest() == frame.sha256
    assert pixels(frame).shape == (frame.height_px, frame.width_px, 3) == (360, 480, 3)


def test_the_picture_says_what_it_shows(make_job, real_file):
    path = real_file("gfs", 6)
    frame = only_frame(render_hour(make_job(path, "gfs", GFS, 6, ["t2m"])))
    inventory = path.with_name(f"{path.name}.idx").read_text().splitlines()
    offset = next(line.split(":")[1] for line in inventory if ":TMP:2 m above ground:" in line)

    texts = read_texts(Path(frame.path).read_bytes())

    assert texts["model"] == "gfs"
    assert texts["cycle"] == GFS
    assert texts["hour"] == "f006"
    assert texts["valid_time"] == "2026-01-29T18:00Z"
    assert texts["Source"] == f"{path.name}:{offset}:TMP:2 m above ground:6 hour fcst"
    assert texts["unit"] == "°F"


def test_the_same_job_gives_the_same_bytes(make_job, real_file):
    job = make_job(real_file("gfs", 6), "gfs", GFS, 6, ["t850"])

    assert only_frame(render_hour(job)).sha256 == only_frame(render_hour(job)).sha256


def test_a_type_that_is_missing_does_not_cost_the_map(make_job, real_file):
    """HRRR f01 holds REFC without the four type masks."""
    frame = only_frame(render_hour(make_job(real_file("hrrr", 1), "hrrr", HRRR, 1, ["refc"])))

    assert frame.bytes > 1000


def test_the_dark_style_and_metric_units_draw_too(make_job, real_file):
    job = make_job(
        real_file("gfs", 6), "gfs", GFS, 6, ["t850"], style=Style(base="dark", units="metric")
    )

    image = pixels(only_frame(render_hour(job)))

    assert image[2, 2].max() < 60


@pytest.mark.parametrize("harm", ["cut", "garbage", "gone", "empty", "other run"])
def test_a_bad_file_fails_its_frames_and_nothing_else(harm, make_job, real_file, tmp_path):
    bad = tmp_path / "bad.grib2"
    shutil.copy(real_file("gfs", 0), bad)
    cycle = GFS
    match harm:
        case "cut":
            bad.write_bytes(bad.read_bytes()[:5000])
        case "garbage":
            bad.write_bytes(b"<html>" * 1000)
        case "gone":
            bad.unlink()
        case "empty":
            bad.write_bytes(b"")
        case "other run":
            cycle = "2026012918"
    job = make_job(bad, "gfs", cycle, 0, ["t2m"])

    result = render_hour(job)

    assert isinstance(result, HourRendered)
    assert result.frames == ()
    (failure,) = result.failures
    assert failure.reason in {Reason.BAD_DATA, Reason.FIELD_MISSING}
    assert failure.detail
    assert list(Path(job.staging_dir).glob("*.*")) == []


def test_a_field_elsewhere_fails_its_frame_with_a_reason(make_job, real_file, catalog):
    """HRRR does not reach Europe."""
    job = make_job(real_file("hrrr", 1), "hrrr", HRRR, 1, ["t2m"])
    europe = job.regions[0].model_copy(
        update={"west": 0, "east": 20, "south": 40, "north": 50, "central_longitude": 10}
    )
    from dataclasses import replace

    result = render_hour(replace(job, regions=(europe,)))

    (failure,) = result.failures
    assert failure.reason is Reason.RENDER_ERROR
    assert "does not reach" in failure.detail


def test_a_region_or_recipe_that_is_not_there_is_a_reason(make_job, real_file):
    job = make_job(real_file("gfs", 6), "gfs", GFS, 6, ["t2m"])
    unknown = job.tasks[0].product.model_copy(update={"recipe": "magic"})
    from dataclasses import replace

    without_recipe = render_hour(_with(job, unknown))
    without_region = render_hour(replace(job, regions=()))

    assert "no recipe 'magic'" in without_recipe.failures[0].detail
    assert "does not define the region" in without_region.failures[0].detail


def test_a_staging_directory_that_cannot_be_made_fails_the_hour(make_job, real_file, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    job = make_job(
        real_file("gfs", 6), "gfs", GFS, 6, ["t2m"], staging_dir=str(blocked / "staging")
    )

    result = render_hour(job)

    assert isinstance(result, HourFailed)
    assert result.reason is Reason.RENDER_ERROR


def test_a_temperature_at_two_millibar_never_ends_on_a_two_metre_map(make_job, real_file):
    """The trap of the real file: TMP:2 mb lies beside TMP:2 m above ground."""
    image = pixels(only_frame(render_hour(make_job(real_file("gfs", 0), "gfs", GFS, 0, ["t2m"]))))

    body = image[60:280].reshape(-1, 3).astype(int)
    greenish = (body[:, 1] > body[:, 0]) & (body[:, 1] > body[:, 2])
    assert greenish.mean() > 0.2  # above freezing; the stratosphere would be violet throughout


def test_a_disk_that_turned_read_only_is_not_the_frame_s_fault(make_job, real_file, tmp_path):
    job = make_job(real_file("gfs", 6), "gfs", GFS, 6, ["t2m"])
    with mounted(tmp_path / "staging", "size=8m") as disk:
        make_read_only(disk)
        result = render_hour(job)

    failures = (result,) if isinstance(result, HourFailed) else result.failures
    assert [failure.reason for failure in failures] == [Reason.NO_SPACE]
    assert "Read-only file system" in failures[0].detail
