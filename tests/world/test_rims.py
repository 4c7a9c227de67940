"""Where a grid ends inside the map, nothing is drawn beyond it and its rim is no isoline."""

from dataclasses import replace

import numpy as np
import pytest

from render_farm.domain.layers import LineLayer
from render_farm.render.hour import render_hour
from tests.decode.gribmint import LATLON, mint
from tests.world.painting import CartopyFrame, job_of, map_of, region_of

WIDE = {"west": -140, "east": -90, "south": 35, "north": 65, "width_px": 800}
INK = (255, 0, 255)


@pytest.mark.parametrize(
    ("smooth_km", "levels", "labels"),
    [(0.0, [285], False), (0.0, [285], True), (120.0, [285], False)],
    ids=["thin", "sharp", "smoothed"],
)
def test_an_isoline_ends_where_the_grid_does(smooth_km, levels, labels, tmp_path):
    """Temperature rises by 1 K a degree to the east: the line is a meridian, 115 W."""
    message = mint(LATLON, np.tile(270.0 + np.arange(31.0), 21))
    region = region_of(**WIDE)
    path = tmp_path / "field.grib2"
    path.write_bytes(message)
    layer = LineLayer(
        field="fill",
        unit="K",
        levels=levels,
        colours=["#ff00ff"],
        labels=labels,
        smooth_km=smooth_km,
    )
    job = job_of(path, region, tmp_path, sampling="cubic")
    (task,) = job.tasks
    product = task.product.model_copy(update={"lines": (layer,)})
    outcome = render_hour(replace(job, tasks=(replace(task, product=product),)))
    assert outcome.failures == ()

    image = map_of(outcome.frames[0].path, region).astype(int)

    reddish = np.minimum(image[..., 0], image[..., 2]) - image[..., 1]
    row, column = np.nonzero(reddish > 150)
    assert row.size > 200
    latitudes = np.linspace(39.5, 60.5, 4000)
    line_column, line_row = CartopyFrame(region)(np.full(latitudes.size, -115.0), latitudes)
    order = np.argsort(line_row)
    expected = np.interp(row, line_row[order], line_column[order], left=np.nan, right=np.nan)
    assert np.isfinite(expected).all()  # from 40 to 60 N and no further
    assert np.abs(column - expected).max() < (16 if labels else 4)  # half the width of a label
