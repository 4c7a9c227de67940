import numpy as np
import pytest

from render_farm.domain.scales import Display
from render_farm.draw import compose
from render_farm.draw.fill import classes_of, classify
from render_farm.draw.palette import GROUNDS, Palettes
from render_farm.draw.sampling import Sampled

FILLS = tuple((10 + 2 * k, 200 - 2 * k, 3 * k % 256) for k in range(70))
INKS = ((0, 0, 0), (255, 255, 255), (20, 48, 210))


def lay(below, coverage, table):
    """`compose.lay` on a copy: it works in place."""
    after = below.copy()
    compose.lay(after, coverage, table)
    return after


def planned(used=range(2, 30), inks=INKS, base="light"):
    return Palettes().plan(FILLS, tuple(used), inks, GROUNDS[base])


def test_every_colour_of_the_scales_is_in_the_palette_exactly():
    palette = planned()

    assert [tuple(c) for c in palette.colours[2 : 2 + len(FILLS)].tolist()] == list(FILLS)
    assert tuple(palette.colours[0]) == GROUNDS["light"].land
    assert tuple(palette.colours[palette.paper]) == GROUNDS["light"].paper


@pytest.mark.parametrize("base", ["light", "dark"])
def test_a_palette_has_at_most_256_colours_and_uses_them(base):
    assert 200 < len(planned(base=base).colours) <= 256


def test_the_same_frame_gets_the_same_palette():
    np.testing.assert_array_equal(planned().colours, planned().colours)


@pytest.mark.parametrize("ink", [None, *INKS])
def test_no_coverage_changes_nothing(ink):
    palette = planned()
    below = np.arange(len(palette.colours), dtype=np.uint8)[None, :]

    after = lay(below, np.zeros_like(below), palette.over(ink))

    np.testing.assert_array_equal(after, below)


@pytest.mark.parametrize("ink", INKS[:2])
def test_full_coverage_gives_the_ink_over_bright_colours(ink):
    palette = planned()
    below = np.arange(30, 72, dtype=np.uint8)[None, :]

    after = lay(below, np.full_like(below, 255), palette.over(ink))

    assert np.abs(palette.colours[after].astype(int) - ink).max() < 24


def test_half_coverage_over_a_colour_of_the_frame_is_half_way():
    palette = planned()
    below = np.array([[20]], np.uint8)

    after = lay(below, np.array([[128]], np.uint8), palette.over(INKS[1]))

    want = (np.array(FILLS[18]) + 255) / 2
    assert np.abs(palette.colours[after[0, 0]] - want).max() < 16


def test_dark_lines_turn_light_over_dark_ground():
    palette = planned(used=[0, 1, 2], base="dark")

    after = lay(np.array([[0]], np.uint8), np.array([[255]], np.uint8), palette.over((12, 14, 18)))

    assert palette.colours[after[0, 0]].min() > 180


def test_an_overlay_is_the_same_whether_or_not_its_pixels_come_in_eights():
    palette = planned()
    rng = np.random.default_rng(5)
    below = rng.integers(2, 30, (31, 41)).astype(np.uint8)
    coverage = np.where(rng.random((31, 41)) > 0.8, rng.integers(0, 256, (31, 41)), 0)
    coverage = coverage.astype(np.uint8)
    wide = [np.pad(part, ((0, 1), (0, 7))) for part in (below, coverage)]

    odd = lay(below, coverage, palette.over(INKS[0]))
    even = lay(*wide, palette.over(INKS[0]))

    assert below.size % 8
    assert not wide[0].size % 8
    np.testing.assert_array_equal(odd, even[:31, :41])


def test_scales_with_too_many_levels_for_one_map_are_refused():
    """Their bins are counted in a byte; more would wrap round to the colours of the lowest."""
    levels = [["0..128 step 1"], ["0.5..128.5 step 1"]]
    scales = [
        Display(unit="mm", levels=each, anchors=[(0, "#0000ff"), (20, "#0000ff")])
        for each in levels
    ]
    field = Sampled(np.zeros((2, 2), np.uint16), 0.0, 0.01, None, 1.0)

    with pytest.raises(ValueError, match="258 levels"):
        classify(field, classes_of(scales), np.zeros((2, 2), np.uint8))


def test_a_palette_that_is_kept_is_of_the_ground_that_is_asked_for():
    palettes = Palettes()
    for base in ("light", "dark", "light"):
        palette = palettes.plan(FILLS, (2, 3), INKS, GROUNDS[base])

        assert tuple(palette.colours[0]) == GROUNDS[base].land
