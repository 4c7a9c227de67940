"""The tables cover every text in the real inventories, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.domain.levels import NO_SURFACE, Surface, level_text, surfaces
from render_farm.domain.parameters import Code, abbreviation, parameter, parameters

NONE = Surface(NO_SURFACE)


def idx_column(test_data, column):
    return {
        line.split(":")[column]
        for path in test_data.glob("idx/*.idx")
        for line in path.read_text().splitlines()
    }


def test_every_abbreviation_of_the_real_inventories_is_known(test_data):
    names = {name for name in idx_column(test_data, 3) if not name.startswith("var ")}

    assert len(names) > 100
    assert {name for name in names if parameter(name) is None} == set()


def test_every_level_of_the_real_inventories_becomes_surfaces_and_the_same_text(test_data):
    texts = idx_column(test_data, 4)

    assert len(texts) == 120
    for text in texts:
        pair = surfaces(text)
        assert pair is not None, text
        assert level_text(*pair) == text


def test_parameters_that_ncep_left_unnamed_keep_their_numbers(test_data):
    unnamed = {name for name in idx_column(test_data, 3) if name.startswith("var ")}

    assert len(unnamed) == 6
    for text in unnamed:
        numbers = dict(part.split("=") for part in text.split()[1:])
        code = Code(int(numbers["discipline"]), int(numbers["parmcat"]), int(numbers["parm"]))
        assert abbreviation(code, center=7, master_table=2, local_table=1) == text


def test_every_code_names_one_parameter():
    codes = [code for known in parameters().values() for code in known.codes]

    assert len(codes) == len(set(codes))
    for known in parameters().values():
        for code in known.codes:
            assert abbreviation(code, center=7, master_table=2, local_table=1) == known.abbreviation


@pytest.mark.parametrize(
    ("name", "unit", "standard_name"),
    [
        ("TMP", "K", "air_temperature"),
        ("APCP", "kg m-2", "precipitation_amount"),
        ("PRATE", "kg m-2 s-1", "precipitation_flux"),
        ("PRMSL", "Pa", "air_pressure_at_mean_sea_level"),
        ("SNOD", "m", "surface_snow_thickness"),
        ("CSNOW", "1", ""),
    ],
)
def test_parameters_carry_unit_and_cf_name(name, unit, standard_name):
    known = parameter(name)
    assert (known.unit, known.standard_name) == (unit, standard_name)


def test_local_flags_of_ncep_and_those_of_wmo_are_one_parameter():
    assert {(code.category, code.number) for code in parameter("CSNOW").codes} == {
        (1, 36),
        (1, 195),
    }
    assert parameter("NOSUCH") is None


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        (Surface(100, 85000.0), NONE, "850 mb"),
        (Surface(100, 1.0), NONE, "0.01 mb"),
        (Surface(103, 2.0), NONE, "2 m above ground"),
        (Surface(100, 200.0), NONE, "2 mb"),
        (Surface(108, 18000.0), Surface(108, 0.0), "180-0 mb above ground"),
        (Surface(106, 0.1), Surface(106, 0.4), "0.1-0.4 m below ground"),
        (Surface(20, 261.0), Surface(20, 256.0), "261 K level - 256 K level"),
        (Surface(109, -2e-6), NONE, "PV=-2e-06 (Km^2/kg/s) surface"),
        (Surface(104, 0.995), NONE, "0.995 sigma level"),
        (Surface(200), NONE, "entire atmosphere (considered as a single layer)"),
        (Surface(10), NONE, "entire atmosphere"),
        (Surface(101), NONE, "mean sea level"),
        (Surface(1), Surface(8), "atmos col"),
        (NONE, NONE, "no_level"),
        (Surface(233), Surface(214), "high cloud top level - low cloud layer"),
        (Surface(235, 200.0), NONE, "20C ocean isotherm"),
    ],
)
def test_levels_read_as_in_wgrib2(first, second, text):
    assert level_text(first, second) == text


def test_local_levels_of_other_centres_are_numbers():
    assert level_text(Surface(214), NONE, center=98) == "local level type 214"
    assert level_text(Surface(214, 3.0), NONE, center=98) == "local level type 214 3"
    assert level_text(Surface(1), NONE, center=98) == "surface"
    assert level_text(Surface(99), NONE) == "reserved"


@pytest.mark.parametrize("text", ["", "somewhere", "2 m above", "850", "surface - nowhere"])
def test_other_texts_are_no_levels(text):
    assert surfaces(text) is None


@given(st.sampled_from([100, 102, 103, 104, 105, 107]), st.integers(0, 99_999))
def test_numbered_levels_survive_the_way_there_and_back(kind, value):
    text = level_text(Surface(kind, float(value)), NONE)
    pair = surfaces(text)
    assert pair is not None
    assert pair[0].kind == kind
    assert pair[0].value == pytest.approx(value)


@given(st.integers(0, 100_000), st.integers(0, 100_000))
def test_layers_survive_the_way_there_and_back(upper, lower):
    text = level_text(Surface(103, upper / 100), Surface(103, lower / 100))
    first, second = surfaces(text)
    assert level_text(first, second) == text
