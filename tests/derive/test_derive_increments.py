"""Sums over increments: which fields make them, and that they can be gone on with."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from render_farm.derive import increments
from render_farm.derive.increments import INCREMENTS
from render_farm.derive.recipes import RECIPES
from render_farm.derive.shapes import DeriveError, GridMismatch, InputMissing
from tests.derive.fieldsmith import LAMBERT, LATLON, array, field

ENDS = (6, 12, 15)
AMOUNTS = arrays(np.float32, (5, *LATLON.shape), elements=st.floats(0, 60, width=32))
PARTS = arrays(np.float32, (5, *LATLON.shape), elements=st.floats(0, 1, width=32))
KELVIN = arrays(np.float32, (5, *LATLON.shape), elements=st.floats(240, 290, width=32))


def over(values, ends=ENDS, starts=(0, *ENDS[:-1]), **more):
    return tuple(
        field(value, start_h=start, end_h=end, **more)
        for value, start, end in zip(values, starts, ends, strict=True)
    )


def at(values, ends=ENDS, **more):
    return over(values, ends, ends, **more)


@given(AMOUNTS, PARTS, KELVIN, KELVIN, st.integers(1, 4))
def test_a_sum_that_is_gone_on_with_has_the_bits_of_one_made_anew(amount, part, low, high, kept):
    ends = (6, 12, 18, 24, 27)
    starts = (0, *ends[:-1])
    fields = {
        "amount": over(amount, ends, starts),
        "snow": over(part, ends, starts),
        "t850": at(low, ends),
        "t700": at(high, ends),
    }
    for recipe in INCREMENTS:
        used = fields if recipe == "snow_kuchera" else {k: fields[k] for k in ("amount", "snow")}
        one_go = RECIPES[recipe](used).arrays["fill"]
        so_far = RECIPES[recipe]({k: f[:kept] for k, f in used.items()}).arrays["fill"]
        for k in range(kept, 5):
            more = INCREMENTS[recipe]({role: (f[k],) for role, f in used.items()})
            so_far = increments.plus(so_far, more)

        assert so_far.tobytes() == one_go.tobytes()
        assert so_far.dtype == np.float32


@given(AMOUNTS, PARTS, KELVIN, KELVIN)
def test_kuchera_s_total_is_the_sum_of_what_each_increment_gives(amount, part, low, high):
    """In float64, from the rule as written: 12 + (271.16 - T), twice that when warmer."""
    ends = (1, 2, 3, 4, 5)
    derived = RECIPES["snow_kuchera"](
        {
            "amount": over(amount, ends, range(5)),
            "snow": over(part, ends, range(5)),
            "t850": at(low, ends),
            "t700": at(high, ends),
        }
    )
    cold = 271.16 - np.maximum(low, high).astype(float)
    ratio = np.maximum(12 + np.where(cold < 0, 2, 1) * cold, 0)
    expected = (amount.astype(float) * part * ratio / 1000).sum(axis=0)
    np.testing.assert_allclose(derived.arrays["fill"], expected, rtol=1e-5, atol=2e-5)


def test_an_increment_that_is_missing_somewhere_leaves_the_total_missing_there():
    parts = over((1.0, 1.0, 1.0))
    amounts = over((1.0, np.where(np.eye(3, 4), np.nan, 2.0), 3.0))
    fill = RECIPES["snow_from_buckets"]({"amount": amounts, "snow": parts}).arrays["fill"]
    assert (np.isnan(fill) == np.eye(3, 4, dtype=bool)).all()
    assert np.nanmax(fill) == pytest.approx(0.06)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ("one field less", "as many fields"),
        ("another window", "different windows"),
        ("a temperature of another hour", "different windows"),
        ("a bucket left out", "after hour 6 of the sum comes hour 12"),
        ("a bucket twice", "after hour 12 of the sum comes hour 6"),
    ],
)
def test_fields_that_make_no_row_of_increments_are_refused(harm, words):
    amount, part, cold = over((1.0, 2.0, 3.0)), over((1.0, 1.0, 1.0)), at((260.0,) * 3)
    match harm:
        case "one field less":
            cold = cold[:2]
        case "another window":
            part = (*part[:2], field(1.0, start_h=6, end_h=15))
        case "a temperature of another hour":
            cold = (*cold[:2], field(260.0, start_h=12, end_h=12))
        case "a bucket left out":
            amount, part, cold = ((f[0], f[2]) for f in (amount, part, cold))
        case "a bucket twice":
            amount, part, cold = ((f[0], f[1], f[1]) for f in (amount, part, cold))
    with pytest.raises(DeriveError, match=words):
        RECIPES["snow_kuchera"]({"amount": amount, "snow": part, "t850": cold})


def test_increments_of_two_grids_are_refused():
    amounts = (field(1.0, start_h=0, end_h=6), field(1.0, LAMBERT, start_h=6, end_h=12))
    parts = (field(1.0, start_h=0, end_h=6), field(1.0, LAMBERT, start_h=6, end_h=12))
    with pytest.raises(GridMismatch):
        RECIPES["snow_from_buckets"]({"amount": amounts, "snow": parts})


def test_nothing_to_add_up_is_said():
    for inputs in ({}, {"water": ()}):
        with pytest.raises(InputMissing, match="no increment"):
            increments.total(inputs, increments.bucket_snow)
        with pytest.raises(InputMissing, match="no increment"):
            increments.require_increments(inputs)
    assert (increments.plus(None, array([1.0])) == 1).all()
