"""Fields that are cut to what is looked at give the very pictures that whole fields give."""

from dataclasses import replace

import numpy as np
import pytest

from render_farm.derive.recipes import RECIPES
from render_farm.domain.jobs import Reason
from render_farm.domain.places import Region
from render_farm.render.caches import caches_of
from render_farm.render.frame import draw_frame
from render_farm.render.hour import render_hour
from render_farm.render.inputs import JobFields
from render_farm.render.scene import scene
from render_farm.render.views import boxes_of

RUNS = {"gfs": ("2026012912", 6), "hrrr": ("2026012917", 6)}
PACIFIC = Region(  # across the date line, where a window of a global grid wraps
    key="pnw",
    title="Pacific",
    west=160,
    east=-140,
    south=-20,
    north=40,
    projection="mercator",
    central_longitude=-170,
    width_px=400,
    height_px=360,
)
ARCTIC = Region(
    key="pnw",
    title="Arctic",
    west=-180,
    east=180,
    south=60,
    north=90,
    projection="polar_stereographic",
    central_longitude=-100,
    central_latitude=90,
    standard_parallels=(60,),
    width_px=400,
    height_px=460,
)


def drawn(job, boxes):
    (task,) = job.tasks
    inputs = JobFields(job.tasks, job.cycle, boxes).inputs(task)
    derived = RECIPES[task.product.recipe](inputs)
    what = scene(job, task, derived, job.regions[0], caches_of(job.map_cache_dir))
    picture, texts = draw_frame(what)
    return derived, picture.colours[picture.indices], texts


@pytest.mark.parametrize(
    ("model", "product", "region"),
    [
        ("gfs", "t2m", None),
        ("gfs", "t850", None),
        ("gfs", "t850", PACIFIC),
        ("gfs", "t850", ARCTIC),
        ("hrrr", "precip_total", None),
        ("hrrr", "refc", None),
    ],
)
def test_a_picture_is_the_same_from_the_window_and_from_the_whole(
    make_job, real_file, model, product, region
):
    cycle, hour = RUNS[model]
    changes = {} if region is None else {"regions": (region,)}
    job = make_job(real_file(model, hour), model, cycle, hour, [product], **changes)

    whole, want, want_texts = drawn(job, ())
    part, got, got_texts = drawn(job, boxes_of(job))

    assert part.grid.nx * part.grid.ny < 0.75 * whole.grid.nx * whole.grid.ny
    assert got_texts == want_texts
    np.testing.assert_array_equal(got, want)


def test_far_apart_regions_share_one_window(make_job, real_file, catalog):
    """Each frame of a job of two regions is the frame of a job of that region alone."""
    pnw = catalog["regions"]["pnw"].model_copy(update={"width_px": 480, "height_px": 360})
    east = pnw.model_copy(
        update={"key": "east", "west": -80.0, "east": -70.0, "central_longitude": -75.0}
    )
    path = real_file("gfs", 6)
    both = make_job(path, "gfs", RUNS["gfs"][0], 6, ["t2m"], regions=(pnw, east))
    alone = make_job(path, "gfs", RUNS["gfs"][0], 6, ["t2m"], regions=(pnw,))

    _, want, _ = drawn(alone, boxes_of(alone))
    derived, got, _ = drawn(both, boxes_of(both))

    assert derived.grid.nx > 200
    np.testing.assert_array_equal(got, want)


def test_lines_that_are_smoothed_far_get_a_wider_window(make_job, real_file):
    job = make_job(real_file("gfs", 6), "gfs", RUNS["gfs"][0], 6, ["t850"])
    (task,) = job.tasks
    lines = tuple(line.model_copy(update={"smooth_km": 200.0}) for line in task.product.lines)
    wide = replace(task, product=task.product.model_copy(update={"lines": lines}))

    (usual,) = boxes_of(job)
    (wider,) = boxes_of(replace(job, tasks=(wide,)))

    assert wider.west < usual.west - 2
    assert wider.north > usual.north + 2


def test_a_region_that_cannot_be_shown_costs_only_its_own_frames(make_job, real_file, catalog):
    """A cone whose parallels lie at equal distances from the equator is none."""
    good = catalog["regions"]["pnw"].model_copy(update={"width_px": 480, "height_px": 360})
    bad = good.model_copy(update={"key": "bad", "standard_parallels": (45.0, -45.0)})
    job = make_job(real_file("gfs", 6), "gfs", RUNS["gfs"][0], 6, ["t2m"], regions=(good, bad))
    job = replace(job, tasks=(replace(job.tasks[0], regions=("pnw", "bad")),))

    result = render_hour(job)

    assert [frame.region for frame in result.frames] == ["pnw"]
    (failure,) = result.failures
    assert (failure.region, failure.reason) == ("bad", Reason.RENDER_ERROR)
    assert failure.detail


@pytest.mark.parametrize("model", ["gfs", "hrrr"])
def test_places_and_axes_of_a_part_are_those_of_the_whole_to_the_last_bit(
    make_job, real_file, model
):
    """So equal data give equal bytes, whatever else a job's fields were cut for."""
    cycle, hour = RUNS[model]
    product = {"gfs": "t2m", "hrrr": "precip_total"}[model]
    job = make_job(real_file(model, hour), model, cycle, hour, [product])
    (task,) = job.tasks
    (field,) = JobFields(job.tasks, cycle, boxes_of(job)).inputs(task)["value"]
    part, whole = field.grid, field.grid.part.whole
    rows = slice(part.part.top, part.part.top + part.ny)
    columns = (part.part.left + np.arange(part.nx)) % whole.nx

    for of_part, of_whole in (
        *zip(part.lonlat(), whole.lonlat(), strict=True),
        *zip(part.spacing(), whole.spacing(), strict=True),
        (part.rotation(), whole.rotation()),
    ):
        np.testing.assert_array_equal(of_part, of_whole[rows][:, columns])
    column, row = part.index(-117.3, 45.1)
    whole_column, whole_row = whole.index(-117.3, 45.1)
    assert column % 1 == whole_column % 1
    assert row % 1 == whole_row % 1
    assert 0 < column < part.nx


def test_smoothed_fields_do_not_tell_what_else_they_were_cut_for(make_job, real_file, catalog):
    """A region far to the south widens the window, and with it the cells in its middle."""
    pnw = catalog["regions"]["pnw"].model_copy(update={"width_px": 480, "height_px": 360})
    south = pnw.model_copy(
        update={"key": "south", "south": 5.0, "north": 12.0, "projection": "mercator"}
    )
    found = []
    for regions in ((pnw,), (pnw, south)):
        path = real_file("gfs", 6)
        job = make_job(path, "gfs", RUNS["gfs"][0], 6, ["t2m"], regions=regions)
        (task,) = job.tasks
        smooth = task.product.model_copy(update={"smooth_km": 150.0})
        (frame,) = render_hour(replace(job, tasks=(replace(task, product=smooth),))).frames
        found.append((frame.sha256, frame.values.sha256))
    assert found[0] == found[1]
