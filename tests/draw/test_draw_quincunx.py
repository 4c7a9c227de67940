from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.draw.quincunx import EDGE, ROW, quincunx


@given(st.integers(200, 2000), st.integers(200, 2000), st.floats(16, 90))
def test_symbols_stand_in_the_middle_and_never_at_the_frame(width, height, spacing):
    places = quincunx(width, height, spacing)
    columns, rows = places.T
    across = spacing / 2 if np.unique(columns).size > 1 and np.unique(rows).size > 1 else spacing
    for along, size, most in ((columns, width, across), (rows, height, spacing * ROW)):
        before, after = along.min(), size - 1 - along.max()
        assert min(before, after) >= spacing * EDGE - 1e-6
        assert before == pytest.approx(after, abs=1e-6)  # shared out to both sides
        assert before < spacing * EDGE + most  # no further symbol would have fitted


@given(st.integers(200, 2000), st.integers(200, 2000), st.floats(16, 90))
def test_every_second_row_stands_half_a_spacing_on(width, height, spacing):
    places = quincunx(width, height, spacing)
    rows = np.unique(places[:, 1])
    first = [places[places[:, 1] == row, 0].min() for row in rows]
    if np.unique(places[:, 0]).size == 1:
        return  # one below the other: there is no room for the half
    for one, two in pairwise(first):
        assert abs(two - one) == pytest.approx(spacing / 2, abs=1e-6)
    assert np.diff(rows) == pytest.approx(spacing * ROW)


def test_a_map_without_room_has_none():
    assert quincunx(20, 400, 40.0).shape == (0, 2)
    assert quincunx(400, 20, 40.0).shape == (0, 2)
