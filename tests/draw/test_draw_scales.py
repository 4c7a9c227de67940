"""The shipped scales: levels that readers know, and colours that tell the truth."""

import tomllib

import numpy as np
import pytest

from render_farm.domain.scales import Display, Scale
from render_farm.draw.colours import bin_colours, levels_si, oklab
from render_farm.draw.fill import classes_of

RAIN = [0.01, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 4, 6, 10, 16, 24]
SNOW = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 8, 10, 12, 14]
ICE = [0.1, 0.5, 1, 2, 3, 4, 6, 10, 14]
DBZ = [5, 8, *range(12, 61, 4), 70]
KNOWN = {
    "temperature": [-40 + 2.5 * k for k in range(65)],
    "wind": [
        0,
        4,
        6,
        8,
        9,
        10,
        12,
        14,
        16,
        20,
        22,
        24,
        26,
        30,
        34,
        36,
        40,
        44,
        48,
        52,
        58,
        64,
        70,
        75,
        85,
        95,
        100,
    ],
    "rate_rain": RAIN,
    "rate_snow": SNOW,
    "rate_sleet": ICE,
    "rate_freezing_rain": ICE,
    "precipitation": [
        0.01,
        0.05,
        0.1,
        0.2,
        0.3,
        0.5,
        0.7,
        0.9,
        1.2,
        1.6,
        2,
        3,
        4,
        6,
        8,
        10,
        12,
        14,
        16,
        18,
        20,
        25,
    ],
    "temperature_850": list(range(-40, 47)),
    "reflectivity_rain": [
        5,
        10,
        15,
        20,
        23,
        25,
        28,
        30,
        33,
        35,
        38,
        40,
        43,
        45,
        48,
        50,
        53,
        55,
        58,
        60,
        70,
    ],
    "reflectivity_snow": DBZ,
    "reflectivity_sleet": DBZ,
    "reflectivity_freezing_rain": DBZ,
    "snowfall": [0.1, *(0.5 + 0.5 * k for k in range(20)), *range(11, 49)],
    "dewpoint": [-30 + 2.5 * k for k in range(47)],
    "vorticity": list(range(-8, 41, 2)),
    "humidity": list(range(10, 101, 5)),
    "temperature_advection": [-6 + 0.5 * k for k in range(25)],
    "jet": list(range(50, 201, 10)),
    "precipitable_water": [0.1 * k for k in range(26)],
    "cape": [100, 250, 500, 750, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000],
    "cloud": list(range(10, 101, 10)),
    "freezing_level": list(range(0, 16001, 500)),
}
AMOUNTS = [
    "rate_unknown",
    "rate_snow",
    "rate_sleet",
    "rate_freezing_rain",
    "reflectivity_unknown",
    "reflectivity_snow",
    "reflectivity_sleet",
    "reflectivity_freezing_rain",
    "wind",
]


@pytest.fixture(scope="module")
def scales(config_dir):
    document = tomllib.loads((config_dir / "scales.toml").read_text(encoding="utf-8"))
    return {key: Scale(key=key, **entry) for key, entry in document.items()}


@pytest.mark.parametrize("key", sorted(KNOWN))
def test_levels_are_those_that_readers_know(key, scales):
    assert list(scales[key].imperial.levels) == pytest.approx(KNOWN[key])


def test_ticks_stand_on_levels(scales):
    for scale in scales.values():
        for display in (scale.imperial, scale.metric):
            assert set(display.ticks) <= set(display.levels), scale.key


@pytest.mark.parametrize("units", ["imperial", "metric"])
@pytest.mark.parametrize("key", AMOUNTS)
def test_more_is_darker_where_the_quantity_is_an_amount(key, units, scales):
    colours = [c for c in bin_colours(getattr(scales[key], units)) if c is not None]

    lightness = oklab(np.array(colours))[:, 0]

    assert (np.diff(lightness) < 0.004).all()


def test_temperature_breaks_at_freezing(scales):
    for display, freezing in (
        (scales["temperature"].imperial, 32),
        (scales["temperature"].metric, 0),
    ):
        colours = bin_colours(display)
        warm = int(np.searchsorted(display.levels, freezing + 1))
        steps = np.linalg.norm(np.diff(oklab(np.array(colours)), axis=0), axis=1)
        assert int(steps[1:-1].argmax()) + 1 == warm - 1


def test_display_and_si_agree(scales):
    """One round value of each, worked on paper."""
    kelvin = levels_si(scales["temperature"].imperial)[
        scales["temperature"].imperial.levels.index(50)
    ]
    assert kelvin == pytest.approx(283.15)
    inch = scales["precipitation"].imperial
    assert levels_si(inch)[inch.levels.index(2)] == pytest.approx(50.8)
    hour = scales["rate_rain"].imperial
    assert levels_si(hour)[hour.levels.index(10)] == pytest.approx(10 / 3600)
    foot = scales["snowfall"].imperial
    assert levels_si(foot)[foot.levels.index(12)] == pytest.approx(0.3048, rel=1e-5)
    mph = scales["wind"].imperial
    assert levels_si(mph)[mph.levels.index(100)] == pytest.approx(44.704, rel=1e-6)
    knot = scales["jet"].imperial
    assert levels_si(knot)[knot.levels.index(100)] == pytest.approx(51.4444, rel=1e-5)
    advection = scales["temperature_advection"].imperial
    assert levels_si(advection)[advection.levels.index(3)] == pytest.approx(3 / 10800)
    vorticity = scales["vorticity"].imperial
    assert levels_si(vorticity)[vorticity.levels.index(20)] == pytest.approx(2e-4)
    feet = scales["freezing_level"].imperial
    assert levels_si(feet)[feet.levels.index(10000)] == pytest.approx(3048, rel=1e-5)


def test_there_is_one_colour_for_each_bin():
    display = Display(unit="", levels=[0, 1, 2], colours=["#ff0000", "#00ff00"], over="")

    assert bin_colours(display) == (None, (255, 0, 0), (0, 255, 0), None)


def test_a_closed_scale_counts_its_last_level_to_the_last_bin():
    display = Display(unit="%", levels=[0, 50, 100], colours=["#ff0000", "#00ff00"], closed=True)

    assert bin_colours(display) == (None, (255, 0, 0), (0, 255, 0), (0, 255, 0))


def test_a_hundred_percent_has_the_colour_of_the_last_bin_though_anchors_run_on():
    anchors = [(0, "#ffffff"), (100, "#000000")]
    colours = bin_colours(Display(unit="%", levels=[0, 50, 100], anchors=anchors, closed=True))

    assert colours[-1] == colours[-2] != (0, 0, 0)


def test_a_closed_scale_has_no_colour_beyond_its_end():
    with pytest.raises(ValueError, match="nothing over its last level"):
        Display(unit="%", levels=[0, 100], colours=["#ff0000"], closed=True, over="#00ff00")


def test_scales_of_one_product_fit_one_palette(scales):
    for kind in ("rate", "reflectivity"):
        family = [s.imperial for k, s in scales.items() if k.startswith(kind)]
        assert len(classes_of(family).colours) < 120


def test_too_many_colours_are_refused():
    display = Display(
        unit="",
        levels=["0..230 step 1"],
        anchors=[(0, "#000000"), (115, "#ff0000"), (230, "#ffff00")],
    )

    with pytest.raises(ValueError, match="too many for one map"):
        classes_of([display])
