"""Derivatives and humidity against MetPy, on real fields and on every kind of grid."""

import metpy.calc as mpcalc
import numpy as np
import pytest
from metpy.units import units
from pyproj import CRS, Proj

from render_farm.decode.fields import Field
from render_farm.decode.grid import Grid
from render_farm.decode.read import read
from render_farm.derive import circulation, humidity, pressure, snow
from render_farm.derive.calculus import Cells, gradient, wind_tensor
from render_farm.derive.recipes import RECIPES
from render_farm.derive.shapes import DeriveError, InputMissing
from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.jobs import MessageSource
from tests.derive.fieldsmith import EARTH, LATLON, array, field

LCC = f"+proj=lcc +lat_1=38.5 +lat_2=38.5 +lat_0=38.5 +lon_0=262.5 {EARTH}"
GRIDS = {
    "latlon": Grid("latlon", 60, 40, f"+proj=longlat {EARTH}", -130.0, 55.0, 0.5, -0.5),
    "lambert": Grid("lambert", 60, 40, LCC, -2.2e6, 1.2e6, 30_000.0, -30_000.0),
    "polar_stereographic": Grid(
        "polar_stereographic",
        60,
        40,
        f"+proj=stere +lat_0=90 +lat_ts=60 +lon_0=249 {EARTH}",
        -2.5e6,
        -2.0e6,
        40_000.0,
        -40_000.0,
    ),
    "mercator": Grid(
        "mercator", 60, 40, f"+proj=merc +lat_ts=20 +lon_0=200 {EARTH}", -1e6, 4e6, 4e4, -4e4
    ),
}
INNER = np.s_[2:-2, 2:-2]


def cells_of(grid):
    return Cells(*grid.spacing(), grid.cyclic)


def weather(grid):
    """A jet, a wave and a front: smooth, in no direction like the grid's axes."""
    lon, lat = (np.radians(axis.astype(float)) for axis in grid.lonlat())
    u = 30 * np.cos(3 * lat) + 12 * np.sin(9 * lon)
    v = 15 * np.sin(7 * lon + 2 * lat)
    temperature = 285 - 30 * np.sin(lat) + 4 * np.tanh(8 * (lat + 0.3 * np.sin(6 * lon) - 0.8))
    return [values.astype(np.float32) for values in (temperature, u, v)]


def metpy_place(grid, window=np.s_[:, :]):
    """Keywords by which MetPy knows the grid: coordinates, or grid lengths and scale factors."""
    lon, lat = (axis[window].astype(float) for axis in grid.lonlat())
    if grid.kind == "latlon":
        return {
            "latitude": lat[:, 0] * units.degree,
            "longitude": lon[0] * units.degree,
            "crs": CRS.from_proj4(grid.crs),
        }
    factors = Proj(grid.crs).get_factors(lon, lat)
    return {
        "dx": grid.dx * units.m,
        "dy": grid.dy * units.m,
        "parallel_scale": factors.parallel_scale,
        "meridional_scale": factors.meridional_scale,
    }


@pytest.mark.parametrize("kind", GRIDS)
def test_absolute_vorticity_is_that_of_metpy(kind):
    """Within 2e-7 1/s, a hundredth of one colour step."""
    grid = GRIDS[kind]
    _, u, v = weather(grid)

    found = circulation.absolute_vorticity(u, v, cells_of(grid), grid.lonlat()[1])

    relative = mpcalc.vorticity(
        u.astype(float) * units("m/s"), v.astype(float) * units("m/s"), **metpy_place(grid)
    )
    planetary = mpcalc.coriolis_parameter(grid.lonlat()[1].astype(float) * units.degree)
    expected = (relative + planetary).m
    np.testing.assert_allclose(found[INNER], expected[INNER], atol=2e-7)
    assert found.dtype == np.float32


@pytest.mark.parametrize("kind", GRIDS)
def test_advection_is_that_of_metpy(kind):
    """Within 0.02 K / 3 h."""
    grid = GRIDS[kind]
    temperature, u, v = weather(grid)

    found = circulation.advection(temperature, u, v, cells_of(grid))

    place = metpy_place(grid)
    expected = mpcalc.advection(
        temperature.astype(float) * units.K,
        u.astype(float) * units("m/s"),
        v.astype(float) * units("m/s"),
        **place,
    )
    np.testing.assert_allclose(found[INNER] * 10800, expected.m[INNER] * 10800, atol=0.02)


@pytest.mark.parametrize("kind", GRIDS)
def test_frontogenesis_is_that_of_metpy(kind):
    """Within 1 % of its greatest value."""
    grid = GRIDS[kind]
    temperature, u, v = weather(grid)
    theta = circulation.potential_temperature(temperature, 70_000.0)

    found = circulation.frontogenesis(theta, u, v, cells_of(grid))

    expected = mpcalc.frontogenesis(
        theta.astype(float) * units.K,
        u.astype(float) * units("m/s"),
        v.astype(float) * units("m/s"),
        **metpy_place(grid),
    ).m
    scale = np.abs(expected[INNER]).max()
    np.testing.assert_allclose(found[INNER], expected[INNER], atol=0.01 * scale)


def test_no_gradient_makes_no_front():
    _, u, v = weather(GRIDS["latlon"])
    theta = np.full_like(u, 300)
    assert (circulation.frontogenesis(theta, u, v, cells_of(GRIDS["latlon"])) == 0).all()


def test_solid_rotation_has_twice_its_angular_speed_as_vorticity():
    """u = w a cos(lat) spins with the earth: zeta = 2 w sin(lat), exact on the sphere."""
    grid = GRIDS["latlon"]
    _, lat = grid.lonlat()
    spin = 1e-5
    u = (spin * 6371229 * np.cos(np.radians(lat))).astype(np.float32)

    change = wind_tensor(u, np.zeros_like(u), cells_of(grid))

    expected = 2 * spin * np.sin(np.radians(lat))
    np.testing.assert_allclose((change.vx - change.uy)[INNER], expected[INNER], rtol=1e-3)
    np.testing.assert_allclose(change.ux + change.vy, 0, atol=1e-9)


def test_a_cyclic_grid_has_no_seam():
    grid = Grid("latlon", 72, 9, f"+proj=longlat {EARTH}", 0.0, 20.0, 5.0, -5.0, cyclic=True)
    lon, _ = grid.lonlat()
    wave = np.sin(np.radians(3 * lon)).astype(np.float32)

    found = gradient(wave, cells_of(grid)).x * grid.spacing()[0]

    turned = np.roll(gradient(np.roll(wave, 7, 1), cells_of(grid)).x, -7, 1) * grid.spacing()[0]
    np.testing.assert_allclose(found, turned, atol=1e-6)
    assert found[4, 0] == pytest.approx(np.sin(np.radians(15.0)), rel=1e-5)


def test_there_is_no_derivative_at_a_pole_nor_beside_a_gap():
    grid = Grid("latlon", 36, 3, f"+proj=longlat {EARTH}", 0.0, 90.0, 10.0, -10.0, cyclic=True)
    found = gradient(np.ones(grid.shape, np.float32), cells_of(grid))
    assert np.isnan(found.x[0]).all()
    assert (found.x[1:] == 0).all()
    gap = np.ones((5, 5), np.float32)
    gap[2, 2] = np.nan
    grid = Grid("latlon", 5, 5, f"+proj=longlat {EARTH}", 0.0, 40.0, 1.0, -1.0)
    found = gradient(gap, cells_of(grid))
    assert np.isnan(found.x[2, [1, 3]]).all()
    assert np.isnan(found.y[[1, 3], 2]).all()
    assert not np.isnan(found.x[0]).any()


def test_vorticity_of_the_real_gfs_is_that_of_metpy(test_data):
    """850 hPa winds over North America and the Pacific, 0.25 degree."""
    path = str(next(test_data.glob("nomads/**/gfs.t12z.pgrb2.0p25.f006")))
    keys = {
        role: MessageKey(name, "850 mb", 6, 6, Statistic.INSTANT)
        for role, name in {"u": "UGRD", "v": "VGRD", "value": "TMP"}.items()
    }
    found = read([MessageSource(path, key) for key in keys.values()], cycle="2026012912")
    fields = {role: (found[MessageSource(path, key)],) for role, key in keys.items()}

    vorticity = RECIPES["vorticity"]({role: fields[role] for role in "uv"})
    thermal = RECIPES["temperature_advection"](fields)

    window = np.s_[120:280, 800:1200]
    place = metpy_place(vorticity.grid, window)
    u, v = (fields[role][0].values[window].astype(float) * units("m/s") for role in "uv")
    temperature = fields["value"][0].values[window].astype(float) * units.K
    latitude = place["latitude"][:, None]
    expected = (mpcalc.vorticity(u, v, **place) + mpcalc.coriolis_parameter(latitude)).m
    np.testing.assert_allclose(vorticity.arrays["fill"][window][INNER], expected[INNER], atol=2e-7)
    expected = mpcalc.advection(temperature, u, v, **place).m * 10800
    advection = thermal.arrays["fill"][window] * 10800
    np.testing.assert_allclose(advection[INNER], expected[INNER], atol=0.02)
    theta = mpcalc.potential_temperature(850 * units.hPa, temperature)
    expected = mpcalc.frontogenesis(theta, u, v, **place).m
    fronts = thermal.arrays["frontogenesis"][window]
    tolerance = 0.01 * np.abs(expected).max()
    np.testing.assert_allclose(fronts[INNER], expected[INNER], atol=tolerance)


def test_vorticity_from_winds_looks_like_the_model_s_own(test_data):
    """The 2.5 degree file has both at 500 hPa; its own is the fine grid's, thinned: 0.82."""
    path = str(next(test_data.glob("gfs-2p5/*.grib2")))
    keys = {
        name: MessageKey(name, "500 mb", 72, 72, Statistic.INSTANT)
        for name in ("UGRD", "VGRD", "ABSV")
    }
    found = read([MessageSource(path, key) for key in keys.values()], cycle="2011100800")
    own, u, v = (found[MessageSource(path, keys[name])] for name in ("ABSV", "UGRD", "VGRD"))

    derived = RECIPES["vorticity"]({"u": (u,), "v": (v,)}).arrays["fill"]

    band = np.s_[8:29]  # 70..20 N
    correlation = np.corrcoef(derived[band].ravel(), own.values[band].ravel())[0, 1]
    assert correlation > 0.8


def test_earth_winds_on_a_projected_grid_are_turned_back_before_deriving():
    grid = GRIDS["lambert"]
    _, u, v = weather(grid)

    def fields(earth_relative):
        key = MessageKey("UGRD", "500 mb", 6, 6, Statistic.INSTANT)
        return {
            "u": (Field(u, key, grid, "m s-1", earth_relative),),
            "v": (Field(v, key, grid, "m s-1", earth_relative),),
        }

    along = RECIPES["vorticity"](fields(earth_relative=False))
    turned = along.arrays["u"], along.arrays["v"]
    key = MessageKey("UGRD", "500 mb", 6, 6, Statistic.INSTANT)
    u_field, v_field = (Field(values, key, grid, "m s-1", True) for values in turned)
    again = RECIPES["vorticity"]({"u": (u_field,), "v": (v_field,)})

    np.testing.assert_allclose(again.arrays["fill"], along.arrays["fill"], atol=1e-8)
    np.testing.assert_allclose(again.arrays["u"], along.arrays["u"])


TEMPERATURES = np.linspace(233.15, 308.15, 40, dtype=np.float32)[None]


def test_humidity_from_dewpoint_is_that_of_metpy():
    """Within 0.6 % of humidity; MetPy takes Ambaum's saturation, we Bolton's."""
    dewpoints = TEMPERATURES - np.linspace(0, 25, 40, dtype=np.float32)
    expected = mpcalc.relative_humidity_from_dewpoint(
        TEMPERATURES.astype(float) * units.K, dewpoints.astype(float) * units.K
    ).to("percent")
    found = humidity.from_dewpoint(TEMPERATURES, dewpoints)
    np.testing.assert_allclose(found, expected.m, atol=0.6)


def test_humidity_from_specific_humidity_is_that_of_metpy():
    """Within 0.5 % of humidity down to -25 degC, 1.5 % at -40."""
    specific = np.linspace(5e-5, 5e-3, 40, dtype=np.float32)[None]
    expected = mpcalc.relative_humidity_from_specific_humidity(
        700 * units.hPa, TEMPERATURES.astype(float) * units.K, specific.astype(float)
    ).to("percent")
    found = humidity.from_specific_humidity(TEMPERATURES, specific, 70_000.0)
    np.testing.assert_allclose(found, np.clip(expected.m, 0, 100), atol=1.5)
    warm = TEMPERATURES > 248
    np.testing.assert_allclose(found[warm], np.clip(expected.m, 0, 100)[warm], atol=0.5)


def test_humidity_stays_within_0_and_100():
    warm, cold = array([280.0]), array([270.0])
    assert humidity.from_dewpoint(cold, warm)[0, 0] == 100
    assert humidity.from_specific_humidity(warm, array([-1e-6]), 7e4)[0, 0] == 0


def test_ascent_in_pressure_is_that_of_metpy():
    w, temperature = array([0.1, -2.0]), array([280.0, 265.0])
    expected = mpcalc.vertical_velocity_pressure(
        w.astype(float) * units("m/s"), 700 * units.hPa, temperature.astype(float) * units.K
    )
    np.testing.assert_allclose(pressure.omega(w, temperature, 70_000.0), expected.m, rtol=1e-4)


@pytest.mark.parametrize(
    ("warmest", "ratio"),
    [(271.16, 12.0), (261.16, 22.0), (273.16, 8.0), (275.16, 4.0), (277.16, 0.0), (290.0, 0.0)],
)
def test_kuchera_s_ratio_bends_at_271_16_kelvin(warmest, ratio):
    found = snow.kuchera_ratio([array([250.0]), array([warmest]), array([np.nan])])
    assert found[0, 0] == pytest.approx(ratio, abs=1e-3)


def test_kuchera_snow_counts_each_increment_with_its_own_ratio():
    """2 mm at 22:1 and 4 mm at 8:1: 76 mm."""
    inputs = {
        "water": (field(2.0), field(4.0)),
        "t2m": (field(255.0), field(273.16)),
        "t850": (field(261.16), field(268.0)),
    }
    assert RECIPES["snow_kuchera"](inputs).arrays["fill"][0, 0] == pytest.approx(0.076, abs=1e-5)
    parts = {
        "amount": (field(4.0), field(4.0)),
        "snow": (field(0.5), field(1.0)),
        "t2m": inputs["t2m"],
        "t850": inputs["t850"],
    }
    assert RECIPES["snow_kuchera"](parts).arrays["fill"][0, 0] == pytest.approx(0.076, abs=1e-5)
    with pytest.raises(DeriveError):
        RECIPES["snow_kuchera"]({**inputs, "t850": inputs["t850"][:1]})
    with pytest.raises(DeriveError):
        RECIPES["snow_kuchera"]({"water": inputs["water"]})


def at_level(value, level, parameter="TMP"):
    key = MessageKey(parameter, level, 6, 6, Statistic.INSTANT)
    values = np.full(LATLON.shape, value, np.float32)
    return (Field(values, key, LATLON, "1", True),)


def test_humidity_recipes_take_the_level_from_the_field():
    hrrr = RECIPES["humidity_from_dewpoint"](
        {
            "temperature": at_level(280, "700 mb"),
            "dewpoint": at_level(280, "700 mb", "DPT"),
            "w": at_level(0.5, "700 mb", "DZDT"),
            "height": at_level(3000, "700 mb", "HGT"),
        }
    )
    assert hrrr.arrays["fill"] == pytest.approx(100)
    assert hrrr.arrays["omega"] == pytest.approx(-70_000 / (287.0475 * 280) * 9.80665 * 0.5)
    assert (hrrr.arrays["height"] == 3000).all()
    aigfs = RECIPES["humidity_from_specific"](
        {"temperature": at_level(280, "700 mb"), "specific": at_level(3e-3, "700 mb", "SPFH")}
    )
    expected = mpcalc.relative_humidity_from_specific_humidity(700 * units.hPa, 280 * units.K, 3e-3)
    assert aigfs.arrays["fill"][0, 0] == pytest.approx(expected.to("percent").m, abs=0.3)
    with pytest.raises(DeriveError, match="not on a pressure level"):
        RECIPES["humidity_from_specific"](
            {"temperature": at_level(280, "surface"), "specific": at_level(3e-3, "surface")}
        )
    with pytest.raises(InputMissing, match="'specific'"):
        RECIPES["humidity_from_specific"]({"temperature": at_level(280, "700 mb")})


def test_the_projections_of_these_tests_are_proj_s():
    for grid in GRIDS.values():
        if grid.kind != "latlon":
            lon, lat = grid.lonlat()
            x, y = Proj(grid.crs)(float(lon[5, 6]), float(lat[5, 6]))
            assert x == pytest.approx(grid.x0 + 6 * grid.dx, abs=2)
            assert y == pytest.approx(grid.y0 + 5 * grid.dy, abs=2)
