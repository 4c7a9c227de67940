"""Recipes: fields by role in, the grids of a map out."""

import tomllib

import numpy as np
import pytest

from render_farm.decode.read import read
from render_farm.derive.recipes import RECIPES
from render_farm.derive.shapes import DeriveError, GridMismatch, InputMissing
from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.jobs import MessageSource
from tests.derive.fieldsmith import LAMBERT, LATLON, field

HEIGHTS = {"z500": (field(5640.0),), "z1000": (field(120.0),)}
MSLP = {"mslp": (field(101_300.0),)}


def test_every_recipe_of_the_shipped_products_exists(config_dir):
    products = tomllib.loads((config_dir / "products.toml").read_text())
    named = {
        definition["recipe"]
        for product in products.values()
        for definition in (product, *product.get("models", {}).values())
        if "recipe" in definition
    }
    assert named <= RECIPES.keys()


def test_identity_hands_the_field_on():
    derived = RECIPES["identity"]({"value": (field(280.0),), "mslp": (field(1e5),)})

    assert derived.grid is LATLON
    assert (derived.arrays["fill"] == 280).all()
    assert (derived.arrays["mslp"] == 1e5).all()
    assert derived.category is None


def test_wind_speed_turns_winds_along_the_grid_to_the_earth():
    u, v = (field(value, LAMBERT, earth_relative=False) for value in (3.0, 4.0))

    derived = RECIPES["wind_speed"]({"u": (u,), "v": (v,)})

    assert derived.arrays["fill"] == pytest.approx(5)
    angle = LAMBERT.rotation()
    np.testing.assert_allclose(
        derived.arrays["u"], 3 * np.cos(angle) + 4 * np.sin(angle), rtol=1e-5
    )
    np.testing.assert_allclose(
        derived.arrays["v"], 4 * np.cos(angle) - 3 * np.sin(angle), rtol=1e-5
    )
    assert all(values.dtype == np.float32 for values in derived.arrays.values())


def test_winds_to_the_earth_stay_as_they_are():
    u, v = field(3.0, LAMBERT), field(4.0, LAMBERT)
    derived = RECIPES["wind_speed"]({"u": (u,), "v": (v,)})
    assert (derived.arrays["u"] == 3).all()


def test_two_components_of_different_frames_are_refused():
    u, v = field(3.0, LAMBERT), field(4.0, LAMBERT, earth_relative=False)
    with pytest.raises(DeriveError, match="axes"):
        RECIPES["wind_speed"]({"u": (u,), "v": (v,)})


def test_types_count_only_where_it_precipitates():
    rate = np.zeros(LATLON.shape)
    rate[0] = 1e-4
    inputs = {
        **MSLP,
        **HEIGHTS,
        "rate": (field(rate),),
        "rain": (field(1.0),),
        "freezing_rain": (field(np.eye(3, 4)),),
    }
    derived = RECIPES["mslp_ptype"](inputs)

    assert derived.roles == ("rain", "snow", "sleet", "freezing_rain")
    np.testing.assert_array_equal(derived.category[0], [4, 1, 1, 1])
    assert (derived.category[1:] == 0).all()
    assert (derived.arrays["thickness"] == 5520).all()
    assert set(derived.arrays) == {"fill", "mslp", "thickness"}


def test_without_any_type_the_rate_has_no_category():
    derived = RECIPES["mslp_ptype"]({**MSLP, **HEIGHTS, "rate": (field(1e-4),), "rain": ()})
    assert derived.category is None
    assert derived.roles == ()


def test_the_mean_rate_knows_the_length_of_its_bucket():
    amount = field(12.0, parameter="APCP", start_h=6, end_h=12)
    derived = RECIPES["mslp_mean_rate"]({**MSLP, **HEIGHTS, "amount": (amount,)})
    assert derived.arrays["fill"][0, 0] * 3600 == pytest.approx(2)


def test_an_earlier_total_that_is_empty_counts_as_zero():
    total = field(12.0, parameter="APCP", start_h=0, end_h=6)
    assert (RECIPES["window"]({"value": (total,), "earlier": ()}).arrays["fill"] == 12).all()
    earlier = field(5.0, parameter="APCP", start_h=0, end_h=3)
    assert (RECIPES["window"]({"value": (total,), "earlier": (earlier,)}).arrays["fill"] == 7).all()


def test_reflectivity_is_coloured_where_a_type_is_flagged():
    derived = RECIPES["reflectivity_by_type"]({"value": (field(30.0),), "snow": (field(1.0),)})
    assert (derived.category == 2).all()
    assert RECIPES["reflectivity_by_type"]({"value": (field(30.0),)}).category is None


def test_snow_multiplies_buckets_of_the_same_window_only():
    amounts = tuple(field(4.0, start_h=s, end_h=s + 6) for s in (0, 6))
    parts = tuple(field(0.5, start_h=s, end_h=s + 6) for s in (0, 6))
    derived = RECIPES["snow_from_buckets"]({"amount": amounts, "snow": parts})
    assert derived.arrays["fill"][0, 0] == pytest.approx(0.04)
    with pytest.raises(DeriveError, match="different windows"):
        RECIPES["snow_from_buckets"]({"amount": amounts, "snow": parts[::-1]})


def test_snow_from_water_is_ten_to_one():
    derived = RECIPES["snow_from_water"]({"water": (field(25.4),)})
    assert derived.arrays["fill"][0, 0] == pytest.approx(0.254)


def test_fields_of_two_grids_are_refused():
    with pytest.raises(GridMismatch, match="4 x 3 latlon"):
        RECIPES["wind_speed"]({"u": (field(1.0),), "v": (field(1.0, LAMBERT),)})
    with pytest.raises(GridMismatch):
        RECIPES["mslp_ptype"]({**MSLP, **HEIGHTS, "rate": (field(1.0, LAMBERT),)})


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_without_its_fields_says_so(name):
    with pytest.raises(InputMissing):
        RECIPES[name]({})


def sources(path, *keys):
    return [MessageSource(str(path), key) for key in keys]


def instant(parameter, level, hour=6):
    return MessageKey(parameter, level, hour, hour, Statistic.INSTANT)


def test_types_of_the_real_hrrr_follow_the_precedence_everywhere(test_data):
    path = next(test_data.glob("nomads/**/hrrr.t17z.wrfsfcf06.grib2"))
    names = {"rate": "PRATE", "rain": "CRAIN", "snow": "CSNOW", "sleet": "CICEP"}
    names["freezing_rain"] = "CFRZR"
    keys = {role: instant(name, "surface") for role, name in names.items()}
    found = read(sources(path, *keys.values()), cycle="2026012917")
    inputs = {role: (found[MessageSource(str(path), key)],) for role, key in keys.items()}
    flat = inputs["rate"][0]
    inputs |= dict.fromkeys(("mslp", "z500", "z1000"), (flat,))

    derived = RECIPES["mslp_ptype"](inputs)

    flags = {role: inputs[role][0].values > 0 for role in names if role != "rate"}
    wet = inputs["rate"][0].values > 0
    overlap = sum(flag.astype(int) for flag in flags.values()) > 1
    assert overlap.sum() == 3270  # as counted when the reference was written
    expected = np.select(
        [~wet, flags["freezing_rain"], flags["sleet"], flags["snow"], flags["rain"]],
        [0, 4, 3, 2, 1],
        0,
    )
    np.testing.assert_array_equal(derived.category, expected)


def test_the_850_hpa_map_of_the_real_gfs_has_its_values(test_data):
    path = next(test_data.glob("nomads/**/gfs.t12z.pgrb2.0p25.f006"))
    keys = {"value": instant("TMP", "850 mb"), "u": instant("UGRD", "850 mb")}
    keys |= {"v": instant("VGRD", "850 mb"), "mslp": instant("PRMSL", "mean sea level")}
    found = read(sources(path, *keys.values()), cycle="2026012912")

    derived = RECIPES["upper_temperature"](
        {role: (found[MessageSource(str(path), key)],) for role, key in keys.items()}
    )

    column, row = (int(axis) for axis in derived.grid.index(-122.5, 45.5))
    assert (row, column) == (178, 950)
    assert 250 < derived.arrays["fill"][row, column] < 300
    assert 95_000 < derived.arrays["mslp"][row, column] < 106_000
    assert set(derived.arrays) == {"fill", "u", "v", "mslp"}
