"""What an operator may write about scales: rows of levels, units and colours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from render_farm.domain.bin_edges import expand_levels
from render_farm.domain.scales import Display

COLOURS = [(0, "#000000"), (10, "#ffffff")]


def test_levels_mix_numbers_and_ranges():
    assert expand_levels([0.1, "0.5..2 step 0.5", 3]) == (0.1, 0.5, 1.0, 1.5, 2.0, 3.0)
    assert expand_levels(["-40..-30 step 2.5"]) == (-40, -37.5, -35, -32.5, -30)


@pytest.mark.parametrize(
    "text", ["1..2", "1..2 by 1", "2..1 step 1", "1..2 step 0", "0..1 step 0.6"]
)
def test_ranges_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="level"):
        expand_levels([text])


@given(st.integers(-1000, 1000), st.integers(1, 100), st.sampled_from([0.1, 0.25, 0.5, 1, 2.5]))
def test_ranges_rise_and_hold_both_ends(first, count, step):
    last = first + count * step
    levels = expand_levels([f"{first}..{last:g} step {step}"])
    assert levels[0] == first
    assert levels[-1] == pytest.approx(last, abs=1e-5)
    assert list(levels) == sorted(set(levels))


def display(**keys):
    return Display(**{"unit": "°F", "levels": [0, 10], "anchors": COLOURS, **keys})


def test_a_display_needs_rising_levels_and_one_kind_of_colours():
    assert display().levels == (0.0, 10.0)
    assert display(anchors=(), colours=["#123456"]).colours == ("#123456",)
    for wrong in (
        {"levels": [1]},
        {"levels": [1, 1]},
        {"levels": [2, 1]},
        {"anchors": ()},
        {"colours": ["#123456"]},
        {"anchors": (), "colours": ["#123456", "#123456"]},
        {"anchors": [(10, "#000000"), (0, "#ffffff")]},
        {"anchors": [(0, "red")]},
        {"factor": 0},
        {"factor": -1},  # bins would rise where the values fall
        {"shade": 1},
    ):
        with pytest.raises(ValidationError):
            display(**wrong)
