"""The JavaScript reader against the Python one and PROJ: the same files, the same places."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import twf_async.web
from render_farm.values.grid import decode, encode
from tests.values.gridsmith import GRIDS, value_grid, waves

VIEWER = Path(twf_async.web.__file__).parent / "viewer"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="no node on the PATH")

# A module's ending decides how node reads it: beside this package.json, .js is an ES module.
SCRIPT = """
import { readFile } from "node:fs/promises";
import { readValueGrid, ValueGridError } from "./values.js";

const out = [];
for (const { file, places } of JSON.parse(await readFile(process.argv[2], "utf8"))) {
  try {
    const grid = await readValueGrid(await readFile(file)); // a view of a larger buffer
    const text = (number) => (Number.isNaN(number) ? null : number);
    out.push({
      header: grid.header,
      values: Array.from(grid.values, text),
      index: places.map((place) => grid.index(...place)),
      bilinear: places.map((place) => text(grid.valueAt(...place))),
      nearest: places.map((place) => text(grid.nearestAt(...place))),
      category: places.map((place) => grid.categoryAt(...place)),
    });
  } catch (error) {
    if (!(error instanceof ValueGridError)) throw error;
    out.push({ error: error.message });
  }
}
console.log(JSON.stringify(out));
"""


@pytest.fixture
def javascript(tmp_path):
    """`javascript([(bytes, places)])`: what the reader of the viewer says of each file."""

    def read(asked):
        for name in ("values.js", "projections.js"):
            shutil.copy(VIEWER / name, tmp_path)
        (tmp_path / "package.json").write_text('{"type": "module"}')
        (tmp_path / "ask.js").write_text(SCRIPT)
        questions = []
        for number, (data, places) in enumerate(asked):
            file = tmp_path / f"{number}.vgrid"
            file.write_bytes(data)
            questions.append({"file": str(file), "places": places})
        (tmp_path / "asked.json").write_text(json.dumps(questions))
        done = subprocess.run(
            [NODE, "ask.js", "asked.json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return read


def _numbers(listed):
    return np.array([np.nan if number is None else number for number in listed])


def _places(grid, rng):
    """Places on the grid and somewhat beside it, longitudes by several counts."""
    lon, lat = (array.ravel().astype(float) for array in grid.lonlat())
    chosen = rng.integers(0, lon.size, 300)
    lon = lon[chosen] + rng.normal(0, 1.0, 300) + rng.choice([-360.0, 0.0, 360.0], 300)
    return [list(place) for place in zip(lon, np.clip(lat[chosen], -89.9, 89.9), strict=True)]


def test_every_kind_of_grid_is_read_as_python_reads_it(javascript):
    rng = np.random.default_rng(5)
    asked = []
    for grid in GRIDS.values():
        category = rng.integers(0, 3, grid.shape).astype(np.uint8)
        made = value_grid(waves(grid), grid, category=category, labels=("", "rain", "snow"))
        asked.append((encode(made), _places(grid, rng)))

    for (data, places), said, name in zip(asked, javascript(asked), GRIDS, strict=True):
        ours = decode(data)
        lon, lat = np.array(places).T
        index = np.array(ours.grid.index(lon, lat)).T
        assert np.abs(np.array(said["index"]) - index).max() <= 1e-6, name
        assert np.array_equal(_numbers(said["values"]), ours.values.ravel(), equal_nan=True), name
        for method in ("bilinear", "nearest"):
            expected = [ours.value_at(b, a, method) for a, b in places]
            got = _numbers(said[method])
            assert got == pytest.approx(expected, abs=1e-4, nan_ok=True), (name, method)
        at = np.floor(index + 0.5).astype(int)
        for (column, row), label in zip(at.tolist(), said["category"], strict=True):
            column = column % ours.grid.nx if ours.grid.cyclic else column  # noqa: PLW2901
            inside = 0 <= column < ours.grid.nx and 0 <= row < ours.grid.ny
            assert label == (ours.labels[ours.category[row, column]] if inside else "")


def test_odd_fields_are_read_as_python_reads_them(javascript):
    fields = [
        np.full((4, 5), np.nan),
        np.full((1, 1), 273.16),
        np.array([[1.0, np.nan, -3.25, 1e30]]),
        np.array([[1.0], [2.0], [np.nan], [65536.0]]),
        np.random.default_rng(2).normal(0, 1e5, (30, 20)),
    ]
    asked = [(encode(value_grid(field)), []) for field in fields]
    for (data, _), said in zip(asked, javascript(asked), strict=True):
        found = decode(data).values.ravel()
        assert np.array_equal(_numbers(said["values"]).astype(np.float32), found, equal_nan=True)
        assert said["header"]["unit"] == "K"


def test_what_is_damaged_is_an_error_there_too(javascript):
    whole = encode(value_grid(np.linspace(250, 300, 30).reshape(5, 6)))
    turned = bytearray(whole)
    turned[-40] ^= 4
    damaged = [b"", b"\x89PNG", whole[:30], whole[:-1], whole + b"\0", bytes(turned)]
    damaged += [whole[:4] + b"\2\0" + whole[6:], whole[:8] + b"\1\0\0\0" + whole[12:]]
    for said in javascript([(data, []) for data in damaged]):
        assert said.keys() == {"error"}
    later = javascript([(damaged[6], [])])
    assert "version 2.0" in later[0]["error"]
