import numpy as np
import pytest

from render_farm.draw.barbs import DIRECTIONS, KNOTS, barb, draw_barbs, places
from render_farm.draw.linelabels import Occupied
from render_farm.draw.viewport import Viewport


def parts(sprite):
    """Ink right and left of, above and below the station, which is the sprite's middle."""
    middle = sprite.shape[0] // 2
    ink = sprite.astype(int)
    return {
        "above": ink[: middle - 2].sum(),
        "below": ink[middle + 3 :].sum(),
        "left": ink[:, : middle - 2].sum(),
        "right": ink[:, middle + 3 :].sum(),
    }


def test_the_staff_points_to_where_the_wind_comes_from():
    north, east = parts(barb(2, 0, False, 1.0)), parts(barb(2, DIRECTIONS // 4, False, 1.0))

    assert north["above"] > 0
    assert north["below"] == 0
    assert east["right"] > 0
    assert east["left"] == 0


def test_feathers_are_clockwise_in_the_north_and_anticlockwise_in_the_south():
    """A north wind: from the station up the staff, its right is east."""
    northern, southern = parts(barb(4, 0, False, 1.0)), parts(barb(4, 0, True, 1.0))

    assert northern["right"] > 0
    assert northern["left"] == 0
    assert southern["left"] > 0
    assert southern["right"] == 0


def test_a_southern_barb_is_the_mirror_image_of_a_northern_one():
    np.testing.assert_allclose(
        barb(13, 0, False, 1.0)[:, ::-1].astype(int), barb(13, 0, True, 1.0), atol=40
    )


@pytest.mark.parametrize("fives", range(1, 31))
def test_more_wind_has_its_own_barb(fives):
    assert not np.array_equal(barb(fives, 9, False, 1.0), barb(fives + 1, 9, False, 1.0))


def test_no_barb_is_cut_at_the_border_of_its_sprite():
    for fives in (0, 1, 10, 19, 29, 39):
        for direction in range(0, DIRECTIONS, 5):
            sprite = barb(fives, direction, False, 1.0)
            edge = np.concatenate([sprite[0], sprite[-1], sprite[:, 0], sprite[:, -1]])
            assert edge.max() == 0


def test_calm_is_a_circle():
    sprite = barb(0, 0, False, 1.0).astype(int)
    middle = sprite.shape[0] // 2

    assert sprite[middle, middle] == 0
    np.testing.assert_allclose(sprite, np.rot90(sprite), atol=50)


def drawn(viewport, grid, u, v):
    canvas = np.zeros((viewport.rect.height, viewport.rect.width), np.uint8)
    wind = (np.full(grid.shape, u, np.float32), np.full(grid.shape, v, np.float32))
    count = draw_barbs(canvas, wind, grid, viewport, 58, Occupied())
    return count, canvas


def test_a_barb_is_turned_with_the_meridians_of_the_map(regions, grids):
    """Seven degrees west of the centre of a cone, north leans 5 degrees to the right."""
    viewport = Viewport.of(regions["pnw"], 1600, 1200)
    where = places(viewport, 58)

    _, canvas = drawn(viewport, grids["global"], 0.0, -10.0)  # from the north, 20 kt

    for k in (int(where.longitudes.argmin()), int(where.longitudes.argmax())):
        x, y = round(where.columns[k]), round(where.rows[k])
        tip = canvas[y - 27 : y - 24, x - 14 : x + 15].max(axis=0)
        staff = np.flatnonzero(tip > 100)[0] - 14
        assert np.degrees(np.arctan2(staff, 25.5)) == pytest.approx(
            np.degrees(where.north[k]), abs=4.0
        )
    assert np.degrees(where.north).max() > 4
    assert np.degrees(where.north).min() < -4


def test_no_barb_is_drawn_where_there_is_no_wind_or_something_is_written(regions, grids):
    viewport, grid = Viewport.of(regions["pnw"]), grids["global"]
    everywhere, _ = drawn(viewport, grid, 10.0, 0.0)
    nowhere, canvas = drawn(viewport, grid, np.nan, 0.0)
    taken = Occupied()
    taken.take(viewport.rect.width / 2, viewport.rect.height / 2, 3000)

    assert everywhere > 40
    assert nowhere == 0
    assert canvas.max() == 0
    calm = np.zeros(grid.shape, np.float32)
    assert draw_barbs(canvas, (calm, calm), grid, viewport, 58, taken) == 0


def test_barbs_count_in_knots():
    assert pytest.approx(10.0) == KNOTS * 5.144444444
