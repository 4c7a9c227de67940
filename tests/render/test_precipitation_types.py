"""The type that is painted at a place is the type that the model's masks have there."""

import importlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from render_farm.decode.grid import Grid
from render_farm.derive.derived import Derived
from render_farm.domain.grib2 import field_bytes, walk
from render_farm.domain.jobs import Reason
from render_farm.draw.colours import bin_colours
from render_farm.draw.viewport import Viewport
from render_farm.render.caches import caches_of
from render_farm.render.frame import draw_frame
from render_farm.render.hour import render_hour
from render_farm.render.scene import scene
from render_farm.values.grid import decode

HRRR = "2026012917"
TYPES = {"rain": "CRAIN", "snow": "CSNOW", "sleet": "CICEP", "freezing_rain": "CFRZR"}


@pytest.fixture(scope="module")
def hrrr_fields(real_file):
    """eccodes' own arrays of the real file: name -> (values, latitudes, longitudes)."""
    import render_farm.decode  # noqa: F401 - pyproj before eccodes

    eccodes = importlib.import_module("eccodes")

    numbers = {(16, 196): "REFC", (1, 33): "CRAIN", (1, 34): "CFRZR", (1, 35): "CICEP"}
    numbers[1, 36] = "CSNOW"
    fields = {}
    with real_file("hrrr", 6).open("rb") as stream:
        while (handle := eccodes.codes_grib_new_from_file(stream)) is not None:
            key = tuple(
                eccodes.codes_get(handle, name) for name in ("parameterCategory", "parameterNumber")
            )
            if key in numbers:
                fields[numbers[key]] = eccodes.codes_get_values(handle)
                if "latitude" not in fields:
                    fields["latitude"] = eccodes.codes_get_array(handle, "latitudes")
                    fields["longitude"] = eccodes.codes_get_array(handle, "longitudes")
            eccodes.codes_release(handle)
    return fields


def test_the_type_painted_at_a_place_is_that_of_the_masks_there(
    make_job, real_file, hrrr_fields, catalog
):
    job = make_job(real_file("hrrr", 6), "hrrr", HRRR, 6, ["refc"], size=(1600, 1200))
    (frame,) = render_hour(job).frames
    picture = cv2.imread(frame.path)[:, :, ::-1]
    viewport = Viewport.of(job.regions[0])
    reflectivity = hrrr_fields["REFC"]
    flags = {role: hrrr_fields[name] == 1 for role, name in TYPES.items()}
    single = sum(flag.astype(int) for flag in flags.values()) == 1
    x, y = viewport.pixels_of(hrrr_fields["longitude"], hrrr_fields["latitude"])
    rect = viewport.rect
    inside = (x > 5) & (x < rect.width - 5) & (y > 5) & (y < rect.height - 5)

    random = np.random.default_rng(20260129)
    candidates = np.flatnonzero(inside & single & (reflectivity > 12))
    chosen = random.choice(candidates, 1000, replace=False)
    palettes = {
        role: {
            colour
            for colour in bin_colours(
                catalog["scales"][catalog["products"]["refc"].scales[role]].imperial
            )
            if colour
        }
        for role in TYPES
    }
    right = wrong = 0
    for point in chosen:
        pixel = tuple(
            int(part) for part in picture[rect.top + round(y[point]), rect.left + round(x[point])]
        )
        painted = {role for role, colours in palettes.items() if pixel in colours}
        if painted:  # else a border or a coast runs through it
            role = next(role for role, flag in flags.items() if flag[point])
            right += role in painted
            wrong += role not in painted

    assert right > 700
    assert wrong <= 0.005 * (right + wrong)


@pytest.mark.parametrize("lost", TYPES)
def test_no_type_is_shown_where_a_worse_one_is_not_known(make_job, real_file, hrrr_fields, lost):
    """The masks overlap: what is rain by the masks that are left may be snow as well."""
    job = make_job(real_file("hrrr", 6), "hrrr", HRRR, 6, ["refc"])
    (task,) = job.tasks
    found = {}
    for inputs in (task.inputs, {k: v for k, v in task.inputs.items() if k != lost}):
        (frame,) = render_hour(replace(job, tasks=(replace(task, inputs=inputs),))).frames
        found[len(inputs)] = decode(Path(frame.values.path).read_bytes())
    full, left = (found[count].category for count in (5, 4))
    assert full is not None
    left = np.zeros_like(full) if left is None else left
    sure = range(list(TYPES).index(lost) + 2, len(TYPES) + 1)
    assert set(np.unique(left)) <= {0, *sure}
    for k in sure:
        np.testing.assert_array_equal(left == k, full == k)


def test_a_mask_that_the_file_lacks_is_as_one_that_the_job_does_not_name(
    make_job, real_file, tmp_path
):
    path = tmp_path / "without.grib2"
    with real_file("hrrr", 6).open("rb") as stream, path.open("wb") as out:
        heads = [head for head in walk(stream) if head.key]
        kept = [head for head in heads if head.key.parameter != "CSNOW"]
        assert len(kept) == len(heads) - 1
        out.writelines(field_bytes(stream, head) for head in kept)
    (frame,) = render_hour(make_job(path, "hrrr", HRRR, 6, ["refc"])).frames
    grid = decode(Path(frame.values.path).read_bytes())
    assert "rain" not in {grid.labels[k] for k in np.unique(grid.category)}


def test_a_mask_that_is_there_but_of_another_run_costs_the_map(make_job, real_file, tmp_path):
    """It is not as one that is not there: something is wrong with the file."""
    path = tmp_path / "mixed.grib2"
    with real_file("hrrr", 6).open("rb") as stream, path.open("wb") as out:
        for head in [head for head in walk(stream) if head.key]:
            message = bytearray(field_bytes(stream, head))
            if head.key.parameter == "CSNOW":
                message[31] += 1  # the day, octet 16 of section 1
            out.write(message)
    outcome = render_hour(make_job(path, "hrrr", HRRR, 6, ["refc"]))
    (failure,) = outcome.failures
    assert failure.reason is Reason.BAD_DATA
    assert "CSNOW" in failure.detail


def test_the_rim_of_an_area_has_the_area_s_type(make_job, catalog, map_cache):
    """Between a wet cell and a dry one the rate falls off over thirty pixels, all of them rain."""
    grid = Grid("latlon", 121, 61, "+proj=longlat +R=6371229", -132.0, 53.0, 0.25, -0.25)
    rate = np.zeros(grid.shape, np.float32)
    rate[20:40, 40:70] = 5 / 3600
    kinds = (rate > 0).astype(np.uint8)
    job = make_job("none", "gfs", "2026012912", 6, ["mslp_ptype"], size=(800, 600), stations=())
    (task,) = job.tasks
    task = replace(task, product=task.product.model_copy(update={"lines": ()}))
    derived = Derived(grid, {"fill": rate}, kinds, tuple(TYPES))
    what = scene(job, task, derived, job.regions[0], caches_of(str(map_cache)))

    picture, _ = draw_frame(what)

    rect = what.layout.map
    painted = {
        tuple(colour)
        for colour in picture.colours[np.unique(picture.indices[rect.top : rect.bottom])].tolist()
    }
    rain, unknown = (
        {c for c in bin_colours(catalog["scales"][f"rate_{kind}"].imperial) if c}
        for kind in ("rain", "unknown")
    )
    assert len(painted & rain) >= 6
    assert not painted & (unknown - rain)
