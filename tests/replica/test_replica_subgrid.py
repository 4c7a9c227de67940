"""Which points of a latitude/longitude grid a box holds, against the definition."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twf_async.replica.sections import read_signed, section, signed
from twf_async.replica.subgrid import CannotCrop, subgrid
from twf_async.replica.tree import CropBox


def latlon_section(*, scan: int = 0) -> bytes:
    """A global 10 degree grid, 36 x 19, rows from the north unless *scan* says 64."""
    first, last = (-90, 90) if scan & 64 else (90, -90)
    corners = (signed(first * 10**6, 4), signed(0, 4), b"\x30", signed(last * 10**6, 4))
    return section(
        3,
        struct.pack(">BIBBH", 0, 36 * 19, 0, 0, 0)
        + bytes((6,))
        + b"\xff" * 15
        + struct.pack(">II", 36, 19)
        + struct.pack(">II", 0, 0xFFFFFFFF)
        + b"".join(corners)
        + signed(350 * 10**6, 4)
        + struct.pack(">IIB", 10 * 10**6, 10 * 10**6, scan),
    )


HUNDREDTHS = 100.0


@given(
    st.integers(-36000, 36000),
    st.integers(0, 36000),
    st.lists(st.integers(-9000, 9000), min_size=2, max_size=2).map(sorted),
    st.sampled_from([0, 64]),
)
def test_a_box_holds_exactly_the_points_between_its_edges(left, span, south_north, scan):
    south, north = south_north
    box = CropBox.of(
        left=left / HUNDREDTHS,
        right=(left + span) / HUNDREDTHS,
        bottom=south / HUNDREDTHS,
        top=north / HUNDREDTHS,
    )
    found = subgrid(latlon_section(scan=scan), box)
    longitudes = np.arange(36) * 10
    latitudes = -90 + np.arange(19) * 10 if scan else 90 - np.arange(19) * 10
    columns = {i for i in range(36) if (1000 * i - left) % 36000 <= span}
    rows = {j for j, latitude in enumerate(latitudes) if south <= 100 * latitude <= north}
    if not rows or not columns:
        assert (found.columns.size, found.rows.size) == (36, 19)
        return
    assert set(found.columns.tolist()) == columns
    assert set(found.rows.tolist()) == rows
    assert np.all(np.diff(latitudes[found.rows]) > 0)
    eastward = (longitudes[found.columns] - longitudes[found.columns[0]]) % 360
    assert np.all(np.diff(eastward) > 0)
    head = found.section_3
    assert struct.unpack_from(">II", head, 30) == (found.columns.size, found.rows.size)
    assert read_signed(head[46:50]) == round(latitudes[found.rows[0]] * 1e6)
    assert read_signed(head[59:63]) == round(longitudes[found.columns[-1]] * 1e6)
    assert head[71] == 64


def test_grids_that_wgrib2_leaves_alone_are_told():
    polar = bytearray(latlon_section())
    polar[12:14] = (20).to_bytes(2, "big")
    box = CropBox.of(left=0, right=10, bottom=0, top=10)
    for grid in (bytes(polar), latlon_section(scan=32), latlon_section(scan=128)):
        with pytest.raises(CannotCrop):
            subgrid(grid, box)


@pytest.mark.parametrize(
    ("left", "right", "west", "east"),
    [
        (-129, -106, 231, 254),
        (231, 254, 231, 254),
        (-10, 10, 350, 370),
        (350, 10, 350, 370),
        (0, 360, 0, 360),
        (-180, 180, 180, 540),
    ],
)
def test_longitudes_of_either_convention_become_one(left, right, west, east):
    box = CropBox.of(left=left, right=right, bottom=0, top=1)
    assert (box.west, box.east) == (west, east)
