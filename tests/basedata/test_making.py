"""How the data set is made: lines from areas, joined shores, files that read back."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from render_farm.basedata.files import write_cities, write_lines, write_polygons
from render_farm.basedata.mesh import chain, mesh, units
from render_farm.basedata.polylines import Polylines, read
from render_farm.basedata.shores import join
from render_farm.domain.places import Box

POINTS = st.lists(
    st.tuples(st.integers(-1_800_000, 1_800_000), st.integers(-900_000, 900_000)),
    min_size=2,
    max_size=90,
    unique=True,
)


def shapes(*boxes):
    return np.array([shapely.box(*b) for b in boxes], dtype=object)


def length(lines):
    return sum(np.hypot(*np.diff(line, axis=0).T).sum() for line in lines)


def test_a_shared_border_becomes_one_line_of_its_kind():
    squares = shapes((0, 0, 1, 1), (1, 0, 2, 1), (2, 0, 3, 1))
    edges = mesh(squares, np.array([7, 7, 8]))
    assert [line.tolist() for line in chain(edges.inner)] == [[[10000, 0], [10000, 10000]]]
    assert [line.tolist() for line in chain(edges.between)] == [[[20000, 0], [20000, 10000]]]
    assert length(chain(edges.outer)) == pytest.approx(8 * 10000)


def test_a_ring_without_forks_becomes_one_closed_line():
    outer = chain(mesh(shapes((0, 0, 1, 1)), np.array([1])).outer)
    assert len(outer) == 1
    assert (outer[0][0] == outer[0][-1]).all()
    assert len(outer[0]) == 5


def test_lines_end_where_three_meet():
    star = np.array([[[0, 0], [1, 0]], [[0, 0], [0, 1]], [[0, 0], [-1, -1]], [[1, 0], [2, 0]]])
    assert sorted(len(line) for line in chain(star)) == [2, 2, 3]


@settings(max_examples=40, deadline=None)
@given(lines=st.lists(POINTS, min_size=1, max_size=5))
def test_lines_read_back_as_written_with_no_step_over_a_quarter_degree(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("lines") / "some.npz"
    write_lines(path, [np.array(line) for line in lines])
    found, rings = read(path)
    assert rings.size == 0
    assert len(found.lines()) == len(lines)
    for line, written in zip(found.lines(), lines, strict=True):
        assert np.abs(np.diff(line, axis=0)).max() < 0.2502
        corners = {tuple(p) for p in units(line).tolist()}
        assert set(written) <= corners
        assert tuple(units(line[0])) == written[0]
        assert tuple(units(line[-1])) == written[-1]


def test_the_same_lines_give_the_same_bytes(tmp_path):
    line = np.random.default_rng(1).integers(-2000, 2000, (500, 2)).cumsum(axis=0)
    for name in ("one", "two"):
        write_lines(tmp_path / f"{name}.npz", [line])
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_polygons_keep_their_holes(tmp_path):
    ring = shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2))
    write_polygons(tmp_path / "p.npz", np.array([ring, shapely.box(5, 5, 6, 6)], dtype=object))
    lines, rings = read(tmp_path / "p.npz")
    assert rings.tolist() == [2, 1]
    assert len(lines.lines()) == 3


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    west=st.floats(-180, 180),
    east=st.floats(-180, 180),
    south=st.floats(-90, 80),
    height=st.floats(1, 10),
)
def test_everything_that_touches_a_box_is_found_in_it(seed, west, east, south, height):
    dice = np.random.default_rng(seed)
    counts = dice.integers(2, 100, 4)
    steps = dice.normal(0, 0.7, (counts.sum(), 2)).cumsum(axis=0) + dice.uniform(-150, 150, 2)
    points = np.clip(steps, [-180, -90], [180, 90]).astype(np.float32)
    lines = Polylines.of(points, np.concatenate(([0], np.cumsum(counts))))
    box = Box(west=west, east=east, south=south, north=min(south + height, 90))
    across = (points[:, 0] >= west) & (points[:, 0] <= east)
    if west > east:
        across = (points[:, 0] >= west) | (points[:, 0] <= east)
    inside = points[across & (points[:, 1] >= box.south) & (points[:, 1] <= box.north)]
    found = {tuple(p) for line in lines.near(box) for p in line.tolist()}
    assert {tuple(p) for p in inside.tolist()} <= found
    assert all(len(line) >= 2 for line in lines.near(box))


def test_neighbouring_parts_of_one_line_come_as_one():
    line = np.column_stack([np.linspace(0, 10, 1001), np.zeros(1001)]).astype(np.float32)
    lines = Polylines.of(line, np.array([0, 1001]))
    (part,) = lines.near(Box(west=4, east=6, south=-1, north=1))
    assert part[0, 0] <= 4
    assert part[-1, 0] >= 6
    assert len(part) < 300


def test_dropped_segments_split_their_line():
    points = np.arange(14, dtype=np.float32).reshape(7, 2)
    lines = Polylines.of(points, np.array([0, 5, 7]))
    dropped = np.zeros(6, bool)
    dropped[1] = True
    kept = lines.without(dropped).lines()
    assert [line[:, 0].tolist() for line in kept] == [[0, 2], [4, 6, 8], [10, 12]]


def test_joined_shores_have_the_new_coast_on_our_side_and_no_crack_along_the_border():
    old = shapes((0, 0, 4, 2))
    finer = shapes((0.02, 0.02, 1.995, 1.98))  # the border is at 2, they leave a crack of 0.005
    lake = shapes((0.5, 0.5, 0.7, 0.7))
    result = join(
        land=np.concatenate([old, shapes((-0.01, 3, 0.0, 3.01))]),
        ours=shapes((0, 0, 2, 2)),
        others=shapes((2, 0, 4, 2)),
        lakes=lake,
        borders=np.array([shapely.linestrings([[2, 0], [2, 2]])], dtype=object),
        us=finer,
    )
    main, islet = result.land
    assert shapely.contains_xy(main, 1.998, 1.0)
    assert not shapely.intersects_xy(main, 0.01, 1.0)
    assert shapely.bounds(main).tolist() == pytest.approx([0.02, 0, 4, 2])
    assert shapely.bounds(islet)[1] == 3
    assert len(result.lakes) == 1
    assert len(result.great) == 0


def test_small_places_abroad_are_left_out_and_provinces_get_their_postal_code(tmp_path):
    place = {"geonameid": 1, "latitude": 49.25, "longitude": -123.1, "admin1code": "02"}
    rows = [
        {**place, "name": "Ville", "countrycode": "FR", "population": 6000},
        {**place, "name": "Town", "countrycode": "CA", "population": 6000},
        {**place, "name": "Größe", "countrycode": "DE", "population": 60000},
    ]
    write_cities(tmp_path / "c.tsv", rows)
    assert (tmp_path / "c.tsv").read_text("utf-8").splitlines() == [
        "Größe\t49.2500\t-123.1000\t60000\tDE\t02",
        "Town\t49.2500\t-123.1000\t6000\tCA\tBC",
    ]
