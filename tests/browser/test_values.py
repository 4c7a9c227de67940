"""Value grids in a real browser: fetched from the service, read by its own decompression."""

import hashlib
import json

import numpy as np
import pytest

from render_farm.domain.jobs import Frame, HourRendered, ValueGridFile
from render_farm.values.grid import decode, encode
from tests.browser.conftest import png
from tests.values.gridsmith import GRIDS, value_grid, waves

pytestmark = pytest.mark.browser
CYCLE = "2026012912"
READ = """
(async () => {
  const { fetchValueGrid } = await import("/viewer/values.js");
  const grid = await fetchValueGrid("/maps/gfs/latest/pnw/t2m/f006.vgrid");
  return JSON.stringify({
    unit: grid.unit,
    at: %s.map(([lon, lat]) => [grid.valueAt(lon, lat), grid.categoryAt(lon, lat)]),
  });
})()
"""


async def publish(site, data):
    await site.open_run("gfs", CYCLE, (6,), ("t2m",))
    staging = await site.tree.new_staging("gfs", CYCLE, 6)
    files = {"png": png(6), "vgrid": data}
    facts = {}
    for kind, content in files.items():
        path = staging / f"pnw.t2m.{kind}"
        path.write_bytes(content)
        facts[kind] = (str(path), len(content), hashlib.sha256(content).hexdigest())
    values = ValueGridFile(*facts["vgrid"])
    frame = Frame("pnw", "t2m", *facts["png"], 1600, 1200, 0.1, values=values)
    await site.tree.publish(HourRendered("gfs", CYCLE, 6, (frame,), (), 0.1, 0.2, 90.0, 1))


@pytest.mark.parametrize("name", ["latlon", "lambert_sphere"])
async def test_a_page_reads_the_values_behind_a_map(page, site, name):
    grid = GRIDS[name]
    category = np.full(grid.shape, 1, np.uint8)
    data = encode(value_grid(waves(grid), grid, category=category, labels=("", "snow")))
    await publish(site, data)
    lon, lat = (array[20:30:3, 20:30:3].ravel().astype(float) + 0.01 for array in grid.lonlat())
    places = [list(place) for place in zip(lon, lat, strict=True)]

    await page.open(site.url)
    said = json.loads(await page.evaluate(READ % json.dumps(places)))

    assert said["unit"] == "K"
    expected = [decode(data).value_at(b, a) for a, b in places]
    assert [value for value, _ in said["at"]] == pytest.approx(expected, abs=1e-4)
    assert {kind for _, kind in said["at"]} == {"snow"}
