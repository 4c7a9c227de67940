"""What an operator may write about scales, products, places and models."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from render_farm.domain.bin_edges import expand_levels
from render_farm.domain.catalog import Display, HatchLayer, LineLayer, Product, Style
from render_farm.domain.fields import FieldSpec
from render_farm.domain.models import Model, expand_hours
from render_farm.domain.places import Box, Region, Station

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


def test_a_line_layer_has_a_step_or_levels_and_two_colours_only_with_a_split():
    assert LineLayer(field="mslp", unit="hPa", step=4).step == 4
    for wrong in (
        {},
        {"step": 4, "levels": [1, 2]},
        {"step": 4, "split": 540},
        {"step": 4, "colours": ["#000000", "#ffffff"]},
    ):
        with pytest.raises(ValidationError):
            LineLayer(field="mslp", unit="hPa", **wrong)


def product(**keys):
    return Product(
        **{
            "key": "t2m",
            "title": "2 m temperature",
            "recipe": "identity",
            "fields": {"value": "TMP:2 m above ground"},
            "scales": {"fill": "temperature"},
            **keys,
        }
    )


def test_a_product_reads_its_fields_and_needs_a_fill():
    assert product().fields == {"value": FieldSpec("TMP", "2 m above ground")}
    for wrong in (
        {"scales": {"rain": "rate"}},
        {"fields": {"value": "TMP"}},
        {"key": "T2m"},
        {"colour": "red"},
    ):
        with pytest.raises(ValidationError):
            product(**wrong)


def test_a_variant_replaces_whole_entries_and_leaves_other_models_alone():
    variant = {"recipe": "total", "fields": {"value": "TMP:850 mb"}, "optional": ["value"]}
    both = product(note="plain", models={"aigfs": {**variant, "note": "other"}})

    assert both.for_model("gfs") is both
    other = both.for_model("aigfs")
    assert (other.recipe, other.note, other.optional) == ("total", "other", ("value",))
    assert other.fields == {"value": FieldSpec("TMP", "850 mb")}
    assert other.models == {}
    assert other.for_model("aigfs") is other
    silent = product(note="plain", models={"aigfs": {}}).for_model("aigfs")
    assert (silent.recipe, silent.note) == ("identity", "plain")


def test_definitions_are_frozen():
    with pytest.raises(ValidationError):
        Style().units = "metric"


def test_a_box_may_cross_the_date_line_but_not_stand_on_its_head():
    assert Box(west=170, east=-170, south=-20, north=20).east == -170
    with pytest.raises(ValidationError, match="not below north"):
        Box(west=0, east=1, south=10, north=10)
    with pytest.raises(ValidationError):
        Box(west=-190, east=0, south=0, north=1)


def test_a_region_has_a_key_fit_for_urls_and_a_sane_size():
    keys = {
        "title": "Pacific Northwest",
        "projection": "lambert_conformal",
        "central_longitude": -117.5,
        "standard_parallels": [43, 48],
        "west": -125,
        "east": -110,
        "south": 42,
        "north": 49,
    }
    assert Region(key="pnw", **keys).standard_parallels == (43, 48)
    for wrong in ({"key": "a/b"}, {"key": "pnw", "width_px": 10}):
        with pytest.raises(ValidationError):
            Region(**{**keys, **wrong})
    with pytest.raises(ValidationError):
        Station(name="Pole", latitude=91, longitude=0)


@pytest.mark.parametrize("name", ["M\u00fcnchen", "St.\u00a0Louis", "\u5317\u4eac"])
def test_a_name_may_have_any_characters_that_can_be_printed(name):
    assert Station(name=name, latitude=0, longitude=0).name == name


@pytest.mark.parametrize("name", ["", "\u00a0", "a\nb", "a\0", "a\u2028b", "\ud800", "\x1b[31m"])
def test_a_name_that_no_picture_or_header_can_hold_is_refused(name):
    with pytest.raises(ValidationError, match="cannot be printed|is empty|unicode"):
        Station(name=name, latitude=0, longitude=0)


def test_hours_are_spans_with_steps():
    assert expand_hours("0-6/3,7,12-24/6") == (0, 3, 6, 7, 12, 18, 24)
    assert len(expand_hours("0-120/3,126-384/6")) == 85
    assert expand_hours([6, 0, 6]) == (0, 6)


@pytest.mark.parametrize("text", ["", "a", "3-1", "0-6/0", "1,,2", "-3", "0-999999999", "9" * 5000])
def test_hours_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="hours"):
        expand_hours(text)


def test_long_cycles_have_their_own_hours():
    model = Model(
        key="hrrr",
        title="HRRR",
        long_title="High-Resolution Rapid Refresh",
        cycles=range(24),
        hours="0-18",
        long_cycles=[0, 6, 12, 18],
        long_hours="0-48",
        bucket_h=1,
        first_hour_min=50,
        gives_up_min=150,
        files=[{"path": "hrrr.{date}/hrrr.t{cc}z.wrfsfcf{hour:02d}.grib2"}],
        products=["t2m"],
        regions=["pnw"],
    )
    assert model.hours_of(17)[-1] == 18
    assert model.hours_of(18)[-1] == 48


@pytest.mark.parametrize("layer", [LineLayer, HatchLayer])
def test_a_layer_is_counted_in_some_unit(layer):
    limits = {"levels": [1]} if layer is LineLayer else {"below": 1}
    with pytest.raises(ValidationError, match="unit of 0"):
        layer(field="mslp", unit="hPa", factor=0, **limits)
