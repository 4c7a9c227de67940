"""What is worked out band by band is the same to the last bit as in one piece."""

import numpy as np
import pytest

from render_farm.derive import bands, circulation, humidity, snow, wind
from render_farm.derive.calculus import Cells

SHAPE = (23, 17)
WHOLE, ROW, THREE_ROWS = 1 << 20, 1, 3 * SHAPE[1]


def field(seed, low, high):
    values = np.random.default_rng(seed).uniform(low, high, SHAPE).astype(np.float32)
    values[5, 3] = np.nan
    return values


CELLS = Cells(field(1, 2800, 3200), field(2, 2800, 3200), cyclic=False)
ROUND = CELLS._replace(cyclic=True)
T, U, V, LAT = field(3, 240, 300), field(4, -30, 30), field(5, -30, 30), field(6, 20, 60)


@pytest.mark.parametrize("band_cells", [ROW, THREE_ROWS])
@pytest.mark.parametrize(
    "formula",
    [
        lambda: circulation.absolute_vorticity(U, V, CELLS, LAT),
        lambda: circulation.absolute_vorticity(U, V, ROUND, LAT),
        lambda: circulation.advection(T, U, V, CELLS),
        lambda: circulation.frontogenesis(T, U, V, CELLS),
        lambda: wind.to_earth(U, V, LAT / 60),
        lambda: humidity.from_dewpoint(T, T - 3),
        lambda: humidity.from_specific_humidity(T, T / 1e5, 7e4),
        lambda: snow.kuchera_ratio([T, T + 5, T[::-1]]),
    ],
)
def test_bands_change_no_bit(formula, band_cells, monkeypatch):
    monkeypatch.setattr(bands, "BAND_CELLS", WHOLE)
    whole = np.array(formula())
    monkeypatch.setattr(bands, "BAND_CELLS", band_cells)
    np.testing.assert_array_equal(np.array(formula()), whole)


def test_bands_cover_every_row_once():
    found = [row for rows in bands.bands((1000, 900)) for row in range(1000)[rows]]
    assert found == list(range(1000))
