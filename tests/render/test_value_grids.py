"""The value grid of a frame: the very field that its map shows, from the real files."""

import hashlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from render_farm.decode.read import read
from render_farm.domain.jobs import HourRendered, Reason
from render_farm.draw.viewport import Viewport
from render_farm.render.hour import render_hour
from render_farm.values.grid import decode

GFS, HRRR = "2026012912", "2026012917"


def drawn(job):
    result = render_hour(job)
    assert isinstance(result, HourRendered)
    assert result.failures == ()
    (frame,) = result.frames
    return frame, decode(Path(frame.values.path).read_bytes())


def source_field(job, role="value"):
    (source,) = job.tasks[0].inputs[role]
    return read([source], cycle=job.cycle)[source]


@pytest.mark.parametrize(
    ("model", "cycle", "hour", "product", "unit", "half"),
    [
        ("gfs", GFS, 6, "t2m", "K", 0.025),
        ("gfs", GFS, 6, "t850", "K", 0.025),
        ("hrrr", HRRR, 1, "t2m", "K", 1e-4),  # packed in sixteenths: kept as it was
        ("hrrr", HRRR, 6, "precip_total", "kg m-2", 0.005),
        ("hrrr", HRRR, 6, "refc", "dBZ", 0.125),
    ],
)
def test_its_values_are_those_of_the_message_to_half_a_step(
    model, cycle, hour, product, unit, half, make_job, real_file
):
    job = make_job(real_file(model, hour), model, cycle, hour, [product])
    frame, grid = drawn(job)
    field = source_field(job)

    lon, lat = (array.astype(np.float64) for array in grid.grid.lonlat())
    column, row = (np.rint(index).astype(int) for index in field.grid.index(lon, lat))
    expected = field.values[row, column % field.grid.nx]
    assert grid.about.unit == unit
    assert np.nanmax(np.abs(grid.values - expected)) <= half + 1e-4
    assert np.array_equal(np.isnan(grid.values), np.isnan(expected))
    data = Path(frame.values.path).read_bytes()
    assert Path(frame.values.path).name == f"pnw.{product}.vgrid"
    assert (len(data), hashlib.sha256(data).hexdigest()) == (
        frame.values.bytes,
        frame.values.sha256,
    )
    assert len(data) < grid.values.nbytes / 4


@pytest.mark.parametrize(("model", "cycle", "hour"), [("gfs", GFS, 6), ("hrrr", HRRR, 1)])
def test_it_reaches_to_every_pixel_of_the_map(model, cycle, hour, make_job, real_file):
    job = make_job(real_file(model, hour), model, cycle, hour, ["t2m"])
    _, grid = drawn(job)
    viewport = Viewport.of(job.regions[0])
    right, bottom = viewport.rect.width - 1, viewport.rect.height - 1
    corners = viewport.lonlat_of_pixels([0, right, 0, right], [0, 0, bottom, bottom])
    for lon, lat in zip(*corners, strict=True):
        assert math.isfinite(grid.value_at(float(lat), float(lon)))


def test_it_says_what_it_is(make_job, real_file):
    job = replace(make_job(real_file("gfs", 6), "gfs", GFS, 6, ["t2m"]), notice="a rehearsal")
    about = drawn(job)[1].about

    assert (about.model, about.cycle, about.hour) == ("gfs", GFS, 6)
    assert (about.region, about.product, about.quantity) == ("pnw", "t2m", "temperature")
    assert about.valid_time == "2026-01-29T18:00Z"
    assert about.notice == "a rehearsal"


def test_types_of_precipitation_come_with_it(make_job, real_file):
    job = make_job(real_file("hrrr", 6), "hrrr", HRRR, 6, ["refc"])
    grid = drawn(job)[1]

    snow = source_field(job, "snow")
    assert grid.labels[0] == ""
    lon, lat = (array.astype(np.float64) for array in grid.grid.lonlat())
    column, row = (np.rint(index).astype(int) for index in snow.grid.index(lon, lat))
    flagged = snow.values[row, column] >= 0.5
    assert (grid.category == grid.labels.index("snow"))[flagged].mean() > 0.9  # rest: what is worse
    assert not (grid.category == grid.labels.index("snow"))[~flagged].any()


def test_the_same_cells_have_the_same_file_however_many_regions_are_drawn(make_job, real_file):
    """With more regions a job decodes another part of the grid."""
    job = make_job(real_file("hrrr", 1), "hrrr", HRRR, 1, ["t2m"])
    wide = job.regions[0].model_copy(update={"key": "wide", "west": -130.0, "north": 52.0})
    task = replace(job.tasks[0], regions=("pnw", "wide"))
    both = render_hour(replace(job, tasks=(task,), regions=(job.regions[0], wide)))
    alone = drawn(job)[0]

    assert [frame.region for frame in both.frames] == ["pnw", "wide"]
    assert both.frames[0].values.sha256 == alone.values.sha256


@pytest.mark.parametrize(
    ("west", "east", "middle"), [(-180.0, 180.0, 0.0), (150.0, -150.0, 180.0), (-20.0, 30.0, 0.0)]
)
def test_seams_of_the_globe_do_not_show(west, east, middle, make_job, real_file):
    job = make_job(real_file("gfs", 6), "gfs", GFS, 6, ["t2m"])
    globe = job.regions[0].model_copy(
        update={
            "west": west,
            "east": east,
            "south": -60.0,
            "north": 60.0,
            "projection": "plate_carree",
            "central_longitude": middle,
            "counties": False,
        }
    )
    grid = drawn(replace(job, regions=(globe,)))[1]
    field = source_field(job)

    for lon in (middle - 10.0, middle - 0.25, middle, middle + 0.25, middle + 12.5):
        column, row = (int(np.rint(index)) for index in field.grid.index(lon, 30.0))
        expected = field.values[row, column % field.grid.nx]
        assert grid.value_at(30.0, lon) == pytest.approx(expected, abs=0.026)
        assert grid.value_at(30.0, lon + 360.0, "nearest") == pytest.approx(expected, abs=0.026)


def test_a_value_grid_that_cannot_be_written_fails_its_frame(make_job, real_file):
    job = make_job(real_file("gfs", 6), "gfs", GFS, 6, ["t2m", "t850"])
    obstacle = Path(job.staging_dir) / "pnw.t2m.vgrid.part"
    obstacle.mkdir(parents=True)

    result = render_hour(job)

    assert [frame.product for frame in result.frames] == ["t850"]
    (failure,) = result.failures
    assert (failure.product, failure.reason) == ("t2m", Reason.RENDER_ERROR)
