"""What lies over the fill, on pictures of the real files and of fields made for the purpose."""

import re

import numpy as np
import pytest

from render_farm.decode.grid import Grid
from render_farm.derive.derived import Derived
from render_farm.domain.jobs import ProductTask, RenderJob
from render_farm.domain.layers import HatchLayer, LineLayer, StationValues, WindLayer
from render_farm.domain.places import Station
from render_farm.domain.style import Style
from render_farm.draw.gazetteer import near_text
from render_farm.draw.stations import station_text
from render_farm.draw.viewport import Viewport
from render_farm.render.caches import caches_of
from render_farm.render.frame import draw_frame
from render_farm.render.scene import scene

GRID = Grid("latlon", 121, 61, "+R=6371229", -132.0, 53.0, 0.25, -0.25)
MSLP = LineLayer(
    field="mslp", title="MSLP", unit="hPa", factor=0.01, step=4, smooth_km=40, extrema=True
)
FILLS = {"pale": 283.0, "dark": 255.6}  # K: green, and the darkest violet


def fields(fill):
    rows, columns = np.mgrid[0 : GRID.ny, 0 : GRID.nx].astype(np.float64)
    low = 99000 + 3.2 * (columns - 58) ** 2 + 6.4 * (rows - 30) ** 2
    arrays = {
        "fill": np.full(GRID.shape, fill),
        "mslp": low,
        "cin": np.where(columns < 60, -100.0, 0.0),
        "u": np.full(GRID.shape, 10.0),
        "v": np.full(GRID.shape, 4.0),
    }
    return {name: values.astype(np.float32) for name, values in arrays.items()}


@pytest.fixture
def picture(catalog, map_cache):
    """RGB (h, w, 3) of the map of a product made of these layers."""

    def draw(
        *,
        base="light",
        fill="pale",
        without=(),
        size=(800, 600),
        units="imperial",
        scale="temperature",
        **layers,
    ):
        product = catalog["products"]["td2m"].model_copy(
            update={"stations": None, "scales": {"fill": scale}, **layers}
        )
        region = catalog["regions"]["pnw"].model_copy(
            update={"width_px": size[0], "height_px": size[1], "counties": False}
        )
        task = ProductTask(product, {"fill": catalog["scales"][scale]}, {}, ("pnw",))
        job = RenderJob(
            model="gfs",
            model_title="GFS",
            cycle="2026012912",
            hour=6,
            tasks=(task,),
            regions=(region,),
            stations=(Station(name="Bend", latitude=44.06, longitude=-121.3, rank=1),),
            style=Style(base=base, units=units),
            staging_dir="",
            map_cache_dir=str(map_cache),
        )
        arrays = {
            k: v
            for k, v in fields(FILLS[fill] if isinstance(fill, str) else fill).items()
            if k not in without
        }
        what = scene(job, task, Derived(GRID, arrays), region, caches_of(str(map_cache)))
        drawn, texts = draw_frame(what)
        rect = what.layout.map
        return drawn.colours[drawn.indices][rect.top : rect.bottom].astype(int), texts

    return draw


def differs(one, other):
    return np.abs(one - other).sum(axis=2) > 60


def test_an_optional_layer_without_its_grid_leaves_the_map_as_it_is(picture):
    bare, _ = picture()
    optional = MSLP.model_copy(update={"optional": True})
    hatch = HatchLayer(field="cin", title="CIN", unit="J/kg", below=-50, optional=True)

    drawn, texts = picture(without=("mslp", "cin"), lines=(optional,), hatching=(hatch,))

    np.testing.assert_array_equal(drawn, bare)
    assert texts.key == ()


def test_a_layer_that_must_be_there_is_missed_by_its_name(picture):
    with pytest.raises(ValueError, match="no grid 'mslp'"):
        picture(without=("mslp",), lines=(MSLP,))
    with pytest.raises(ValueError, match="no grid 'cin'"):
        picture(without=("cin",), hatching=(HatchLayer(field="cin", unit="J/kg", below=-50),))


def test_hatching_lies_where_the_field_is_below(picture):
    bare, _ = picture()
    drawn, texts = picture(hatching=(HatchLayer(field="cin", title="CIN", unit="", below=-50),))

    marked = differs(drawn, bare)
    width = marked.shape[1]
    assert 0.03 < marked[:, : width // 2 - 40].mean() < 0.3
    assert not marked[:, width // 2 + 60 :].any()
    assert [item.texts[0] for item in texts.key] == ["CIN below −50"]


@pytest.mark.parametrize("fill", ["pale", "dark"])
@pytest.mark.parametrize("base", ["light", "dark"])
@pytest.mark.parametrize("style", ["barbs", "streamlets"])
def test_lines_and_wind_stand_out_on_any_fill_and_base(picture, base, fill, style):
    """The lightness beside the ink differs by what print needs: a contrast of 3 to 1."""
    bare, _ = picture(base=base, fill=fill)
    drawn, _ = picture(base=base, fill=fill, lines=(MSLP,), wind=WindLayer(style=style))

    marked = differs(drawn, bare)
    assert 0.01 < marked.mean() < 0.3
    shades = luminance(drawn[marked])
    below = np.median(luminance(bare))
    lightest, darkest = np.quantile(shades, (0.97, 0.03))
    contrast = max((lightest + 0.05) / (below + 0.05), (below + 0.05) / (darkest + 0.05))
    assert contrast > 3


def luminance(colours):
    """WCAG 2.1 relative luminance of sRGB 0..255."""
    part = colours / 255
    linear = np.where(part <= 0.03928, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def test_a_black_line_stays_black_across_a_dark_fill(picture):
    """On a light base it has a light casing there instead of turning light itself."""
    line = MSLP.model_copy(update={"labels": False, "extrema": False})

    pale, _ = picture(fill="pale", lines=(line,))
    dark, _ = picture(fill="dark", lines=(line,))

    bare, _ = picture(fill="pale")
    core = (luminance(pale) < 0.01) & differs(pale, bare)
    assert core.sum() > 500
    assert np.quantile(luminance(dark)[core], 0.95) < 0.02
    assert (luminance(dark) > 0.5).sum() > 500


@pytest.mark.parametrize("style", ["barbs", "streamlets"])
def test_nothing_is_drawn_over_a_station_value(picture, style):
    """The value looks the same with wind and lines around it as alone."""
    values = StationValues(decimals=0)
    alone, _ = picture(stations=values)
    bare, _ = picture()
    drawn, _ = picture(stations=values, lines=(MSLP,), wind=WindLayer(style=style, spacing_px=24))

    written = differs(alone, bare)
    assert written.sum() > 100
    ink = luminance(alone) < 0.02
    np.testing.assert_array_equal(luminance(drawn)[written & ink] < 0.05, True)


def test_numbers_are_as_fine_as_their_unit_asks(picture):
    values = StationValues(decimals=1, metric=StationValues(decimals=0))

    highest = {u: picture(units=u, stations=values)[1].facts[1] for u in ("imperial", "metric")}

    assert highest["imperial"].endswith("Max 49.7 °F")
    assert highest["metric"].endswith("Max 10 °C")


@pytest.mark.parametrize("units", ["imperial", "metric"])
def test_no_amount_is_written_where_the_map_is_bare(catalog, units):
    """But for what rounds to the first level."""
    for key in ("precip_total", "precip_6h", "precip_24h", "snow_total", "snow_kuchera"):
        product = catalog["products"][key]
        display = catalog["scales"][product.scales["fill"]].display(Style(units=units))
        first = display.levels[0]

        values = product.stations.in_units(units)

        assert station_text(0.4 * first, values) == ""
        assert station_text(first, values) == f"{first:g}"


def test_the_highest_value_is_told_beside_a_hole_in_the_field(picture):
    """Warmer and warmer towards a corner of the map, with lone holes in each of four patterns."""
    rows, columns = np.mgrid[0 : GRID.ny, 0 : GRID.nx]
    for hole in np.ndindex(2, 2):
        holes = (rows % 2 == hole[0]) & (columns % 2 == hole[1])
        warm = np.where(holes, np.nan, 280.0 + 0.1 * columns - 0.1 * rows)

        _, texts = picture(fill=warm, sampling="linear")

        assert "Max" in texts.facts[1]
        assert "Min" in texts.facts[1]


@pytest.mark.parametrize("smooth_km", [0, 40])
def test_no_centre_is_marked_where_the_field_ends(picture, smooth_km):
    """Warmest at the rim of what is known, which is no summit."""
    rows, columns = np.mgrid[0 : GRID.ny, 0 : GRID.nx]
    ridge = 290.0 + 0.2 * columns - 0.02 * (rows - 30.0) ** 2
    fill = np.where(columns > 60, np.nan, ridge)
    lines = (LineLayer(field="fill", unit="K", step=2, extrema=True, smooth_km=smooth_km),)

    marked, _ = picture(fill=fill, lines=lines)
    plain, _ = picture(fill=fill, lines=(lines[0].model_copy(update={"extrema": False}),))

    np.testing.assert_array_equal(marked, plain)


@pytest.mark.parametrize(("mm_h", "text"), [(0.02, "0.02"), (0.3, "0.3"), (2.0, "2.0")])
def test_the_highest_of_what_is_painted_is_more_than_nothing(picture, mm_h, text):
    _, texts = picture(fill=mm_h / 3600, scale="rate_rain")

    assert texts.facts[1] == f"Max {text} mm/h"


def test_the_extremes_of_a_field_of_one_value_lie_where_it_is_known(picture, catalog):
    """None of its pixels differs from the code that missing ones have while it is looked for."""
    known = np.arange(GRID.nx)[None, :] > 60
    _, texts = picture(fill=np.where(known, 283.0, np.nan))

    corner = Viewport.of(catalog["regions"]["pnw"], 800, 600).lonlat_of_pixels([0], [0])
    assert "Min" in texts.facts[0]
    assert "Max" in texts.facts[0]
    assert near_text(float(corner[1][0]), float(corner[0][0])) not in texts.facts[0]


def test_a_map_that_shows_more_than_the_earth_is_drawn(picture, catalog):
    """Beyond the pole nothing is known: above a dry country it was taken for the highest pixel."""
    _, texts = picture(fill=0.0, scale="cape", size=(200, 4000))

    assert texts.facts == ("Max < 100 J/kg", "Max < 100 J/kg")


@pytest.mark.parametrize(
    ("scale", "si", "units", "text"),
    [
        ("snowfall", 0.0, "imperial", "Max < 0.1 in"),
        ("snowfall", 0.0, "metric", "Max < 0.2 cm"),
        ("snowfall", 0.0024, "imperial", "Max < 0.1 in"),  # 0.09 in
        ("reflectivity_rain", 3.0, "imperial", "Max < 5 dBZ"),
    ],
)
def test_an_empty_map_says_that_there_is_nothing_of_what_it_paints(picture, scale, si, units, text):
    _, texts = picture(fill=si, scale=scale, units=units)

    assert texts.facts == (text, text)


@pytest.mark.parametrize(("slope", "low", "high"), [(0.3, "0", "10"), (-0.3, "−10", "0")])
def test_extremes_are_those_of_the_known_part(picture, slope, low, high):
    """From 117 W on nothing is known; to the east it is warmer and warmer, or colder."""
    columns = np.broadcast_to(np.arange(GRID.nx), GRID.shape)
    fill = np.where(columns < 60, np.nan, 273.15 + slope * (columns - 60))

    _, texts = picture(fill=fill, units="metric", sampling="linear")

    assert texts.facts[1] == f"Min {low} °C · Max {high} °C"


@pytest.mark.parametrize(("units", "text"), [("imperial", "32 °F"), ("metric", "0 °C")])
def test_the_freezing_line_is_named_in_the_unit_of_the_legend(picture, catalog, units, text):
    _, texts = picture(units=units, lines=catalog["products"]["t2m"].lines)

    (item,) = texts.key
    assert item.texts[0] == f"freezing line {text}"


@pytest.mark.parametrize("sampling", ["cubic", "linear"])
@pytest.mark.parametrize("seed", range(6))
def test_the_extremes_told_are_those_of_the_cells_in_the_map(picture, catalog, seed, sampling):
    """Beside a steep slope the highest pixel of a bicubic surface is not at the highest cell."""
    chance = np.random.default_rng(seed)
    fill = (280 + 12 * chance.standard_normal(GRID.shape)).astype(np.float32)
    viewport = Viewport.of(catalog["regions"]["pnw"], 800, 600)
    longitude, latitude = GRID.lonlat()
    x, y = viewport.pixels_of(longitude.astype(np.float64), latitude.astype(np.float64))
    inside = (x >= 0) & (x <= viewport.rect.width - 1) & (y >= 0) & (y <= viewport.rect.height - 1)

    _, texts = picture(fill=fill, units="metric", sampling=sampling)

    low, high = (float(f(fill[inside])) - 273.15 for f in (np.min, np.max))
    told = [int(t.replace("−", "-")) for t in re.findall(r"(?:Min|Max) (\S+) °C", texts.facts[1])]
    assert told[0] <= round(low)
    assert told[1] >= round(high)  # a cell whose centre lies just outside may reach into the map
    edge = np.abs(x - viewport.rect.width / 2) < viewport.rect.width / 2 + 40
    edge &= np.abs(y - viewport.rect.height / 2) < viewport.rect.height / 2 + 40
    assert told[0] >= round(float(fill[edge].min()) - 273.15)
    assert told[1] <= round(float(fill[edge].max()) - 273.15)
