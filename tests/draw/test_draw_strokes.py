import numpy as np
import pytest

from render_farm.draw import strokes
from render_farm.draw.strokes import distance_along


def test_dashes_have_their_length_and_lie_on_the_line():
    angle = np.linspace(0, 1.5 * np.pi, 400)
    line = 200 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)

    dashes = list(strokes.dashes(line, 9.0, 5.0))

    assert len(dashes) == int(np.ceil(distance_along(line)[-1] / 14))
    for dash in dashes[:-1]:
        assert distance_along(dash)[-1] == pytest.approx(9.0, abs=1e-6)
        assert np.abs(np.hypot(*dash.T) - 200).max() < 0.01


def test_the_border_of_an_area_is_drawn_along_it_and_specks_are_not():
    above = np.zeros((60, 80), bool)
    above[:, 40:] = True
    above[10, 10] = True

    drawn = strokes.edge_coverage(above)

    assert drawn[30].argmax() in {39, 40}
    assert drawn[:, 36:44].max(axis=1).min() > 140
    assert drawn[:, :36].max() == 0
    assert drawn[:, 44:].max() == 0


def test_a_ring_is_drawn_whole():
    angle = np.append(np.linspace(0, 2 * np.pi, 200, endpoint=False), 0.0)
    ring = np.stack([100 + 70 * np.cos(angle), 100 + 70 * np.sin(angle)], axis=-1)
    canvas = np.zeros((200, 200), np.uint8)

    strokes.draw_lines(canvas, [ring], 2.0, dashed=False, scale=1.0)

    for turn in np.linspace(0, 2 * np.pi, 720):
        x, y = (np.rint(100 + 70 * part).astype(int) for part in (np.cos(turn), np.sin(turn)))
        assert canvas[y - 1 : y + 2, x - 1 : x + 2].max() > 150


@pytest.mark.parametrize("width", [1.0, 1.5, 1.8, 2.0, 2.6])
def test_a_line_is_as_wide_as_asked_in_fractions_of_a_pixel(width):
    canvas = np.zeros((60, 400), np.uint8)

    strokes.draw_lines(
        canvas, [np.array([[0.0, 30.0], [399.0, 30.0]])], width, dashed=False, scale=1.0
    )

    def drawn(whole):
        alone = np.zeros((60, 400), np.uint8)
        line = [np.array([[0.0, 30.0], [399.0, 30.0]])]
        strokes.draw_lines(alone, line, whole, dashed=False, scale=1.0)
        return alone[:, 200].sum() / 255

    low, high = int(width), int(width) + 1
    share = width - low
    expected = drawn(low) * (1 - share) + drawn(high) * share
    assert canvas[:, 200].sum() / 255 == pytest.approx(expected, abs=0.35)
