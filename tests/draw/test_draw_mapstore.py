import os

import numpy as np
import pytest

from render_farm.decode.window import Window
from render_farm.draw import mapfile
from render_farm.draw.mapstore import PixelMaps
from render_farm.draw.pixelmap import EVERY_PIXEL, Lattice
from render_farm.draw.viewport import Viewport


def test_a_second_process_reads_the_file_of_the_first(tmp_path, pnw, grids):
    viewport, grid = Viewport.of(pnw), grids["global"]
    first = PixelMaps(tmp_path).get(grid, viewport)
    (file,) = tmp_path.iterdir()
    written = file.stat().st_mtime_ns

    second = PixelMaps(tmp_path).get(grid, viewport)

    assert file.stat().st_mtime_ns == written
    np.testing.assert_array_equal(first.columns, second.columns)
    assert not second.columns.flags.owndata


@pytest.mark.parametrize("harm", ["cut", "flipped", "emptied", "nonsense"])
def test_a_damaged_file_is_made_anew(harm, tmp_path, pnw, grids):
    viewport, grid = Viewport.of(pnw), grids["global"]
    good = np.array(PixelMaps(tmp_path).get(grid, viewport).rows)
    (file,) = tmp_path.iterdir()
    data = bytearray(file.read_bytes())
    match harm:
        case "cut":
            data = data[: len(data) // 2]
        case "flipped":
            data[len(data) // 2] ^= 0x40
        case "emptied":
            data = bytearray()
        case "nonsense":
            data = bytearray(b"\xff" * 9000)
    file.write_bytes(data)

    again = PixelMaps(tmp_path).get(grid, viewport)

    np.testing.assert_array_equal(again.rows, good)
    assert file.stat().st_size > 9000


def test_no_byte_of_the_head_of_a_file_can_change_unseen(tmp_path, pnw, grids):
    """It says where the window lies: one digit, and the whole map would stand askew."""
    PixelMaps(tmp_path).get(grids["cropped"], Viewport.of(pnw), Lattice(8, 0))
    (file,) = tmp_path.iterdir()
    data = file.read_bytes()
    assert mapfile.load(file) is not None
    for at in range(data.index(b"\n")):
        file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert mapfile.load(file) is None, f"byte {at}"


def test_another_grid_size_or_lattice_has_a_file_of_its_own(tmp_path, pnw, grids):
    maps, viewport = PixelMaps(tmp_path), Viewport.of(pnw)

    maps.get(grids["global"], viewport)
    maps.get(grids["cropped"], viewport)
    maps.get(grids["global"], viewport, refined=True)
    maps.get(grids["global"], viewport, Lattice(8, 64))
    maps.get(grids["global"], Viewport.of(pnw, 700, 480), EVERY_PIXEL)

    assert len(list(tmp_path.iterdir())) == 5


def test_files_that_nobody_uses_any_more_go_when_a_new_one_comes(tmp_path, pnw, grids):
    def made(step):
        before = set(tmp_path.iterdir())
        PixelMaps(tmp_path).get(grids["global"], Viewport.of(pnw), Lattice(step, 0))
        (new,) = set(tmp_path.iterdir()) - before
        return new

    gone, used, other = made(8), made(9), tmp_path / "other.txt"
    other.touch()
    for file in (gone, used, other):
        os.utime(file, (0, 0))
    PixelMaps(tmp_path).get(grids["global"], Viewport.of(pnw), Lattice(9, 0))  # loaded: in use
    new = made(10)

    assert set(tmp_path.iterdir()) == {used, new, other}


def test_a_cache_that_cannot_be_written_costs_no_frame(tmp_path, pnw, grids):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")

    pixels = PixelMaps(blocked / "maps").get(grids["global"], Viewport.of(pnw))

    assert pixels.columns.shape == (Viewport.of(pnw).rect.height, Viewport.of(pnw).rect.width)


def test_the_parts_of_a_grid_share_the_file_of_the_whole(tmp_path, regions, grids):
    """And take the same cells: what a job cuts its fields to depends on its regions."""
    values = np.random.default_rng(4).normal(size=grids["global"].shape).astype(np.float32)
    for region, left in (("pnw", 900), ("greenwich", 1340)):
        maps, viewport = PixelMaps(tmp_path / region), Viewport.of(regions[region])
        whole = maps.get(grids["global"], viewport)
        window = Window(left, 80, 300, 200)

        part = maps.get(window.cut_grid(grids["global"]), viewport)

        assert len(list((tmp_path / region).iterdir())) == 1
        assert part.columns is whole.columns
        np.testing.assert_array_equal(part.window(window.cut(values)), whole.window(values))


def test_a_part_that_lacks_cells_of_the_map_has_a_file_of_its_own(tmp_path, pnw, grids):
    maps, viewport = PixelMaps(tmp_path), Viewport.of(pnw)
    part = Window(1440 - 125 * 4, 80, 40, 200).cut_grid(grids["global"])  # ends amid the map

    pixels = maps.get(part, viewport)

    assert pixels.outside is not None
    assert pixels.outside.any()
    assert len(list(tmp_path.iterdir())) == 2
