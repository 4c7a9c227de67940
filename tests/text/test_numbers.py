import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.draw.numbers import (
    MINUS,
    decimals_of,
    fixed_text,
    shortest_text,
)


def as_number(text):
    return float(text.replace(MINUS, "-").replace(",", ""))


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (-40, 0, "−40"),
        (-0.4, 0, "0"),
        (-0.0, 1, "0.0"),
        (0.05, 2, "0.05"),
        (9999.4, 0, "9999"),
        (9999.6, 0, "10,000"),
        (16000, 0, "16,000"),
        (-1234567.5, 1, "−1,234,567.5"),
        (float("nan"), 1, ""),
        (float("-inf"), 1, ""),
    ],
)
def test_numbers_are_written_as_on_paper(value, decimals, text):
    assert fixed_text(value, decimals) == text


@given(st.floats(-1e6, 1e6), st.integers(0, 3))
def test_no_text_is_a_negative_zero_and_every_text_reads_back_to_half_a_unit(value, decimals):
    text = fixed_text(value, decimals)

    assert "-" not in text
    assert not re.fullmatch(f"{MINUS}[0.,]*", text)
    assert as_number(text) == pytest.approx(value, abs=0.5 * 10**-decimals * 1.000001 + 1e-9)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01, "0.01"), (2.5, "2.5"), (40, "40"), (-32.5, "−32.5"), (100, "100"), (0, "0")],
)
def test_levels_have_the_decimals_that_they_need(value, text):
    assert shortest_text(value) == text


@given(st.integers(-(10**6), 10**6), st.integers(0, 4))
def test_the_shortest_text_is_exact(units, decimals):
    value = round(units / 10**decimals, decimals)

    assert as_number(shortest_text(value)) == value
    assert decimals_of(value) <= decimals
