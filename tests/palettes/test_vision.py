"""The simulation and the distance agree with figures from their papers and from paper sums."""

import numpy as np
import pytest

from render_farm.draw.colours import oklab
from tests.palettes.vision import DEFICIENCIES, distances, lightness, simulated


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_greys_look_the_same_to_everybody(deficiency):
    greys = [(v, v, v) for v in range(0, 256, 15)]

    assert simulated(greys, deficiency) == pytest.approx(np.array(greys), abs=0.05)


def test_red_is_olive_to_deuteranopes():
    """Linear (1, 0, 0) gives (0.367322, 0.280085, below 0): sRGB 163.2, 144.3, 0 by its formula."""
    assert simulated([(255, 0, 0)], "deuteranopia")[0] == pytest.approx([163.2, 144.3, 0], abs=0.1)


def test_red_and_green_part_by_lightness_alone_where_a_cone_is_missing():
    """A dichromat's colours have two dimensions: red and green keep no difference in OKLab's a."""
    red, green = [(190, 90, 60)], [(110, 125, 50)]

    usual = distances(red, green)[0, 0]

    assert distances(red, green, "deuteranopia")[0, 0] < usual / 3
    assert distances(red, green, "tritanopia")[0, 0] > usual / 2


def test_oklab_of_the_primaries_is_as_published():
    """B. Ottosson's reference values, also those of CSS Color 4."""
    lab = oklab(np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]))

    assert lab == pytest.approx(
        np.array(
            [
                [0.62796, 0.22486, 0.12585],
                [0.86644, -0.23389, 0.17950],
                [0.45201, -0.03246, -0.31153],
                [1.0, 0.0, 0.0],
            ]
        ),
        abs=2e-4,
    )


def test_lightness_of_black_and_white_are_the_ends():
    assert lightness([(0, 0, 0), (255, 255, 255)]) == pytest.approx([0, 1], abs=1e-4)
