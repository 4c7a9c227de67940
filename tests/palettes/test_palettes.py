"""Every scale can be read with every colour vision, as it is or in its accessible palette."""

from itertools import combinations

import cv2
import numpy as np
import pytest

from render_farm.domain.scales import Scale
from render_farm.domain.style import Style
from render_farm.draw.colours import bin_colours
from render_farm.worker import entry
from tests.palettes.judge import FAMILIES, VISIONS, alike, classes, findings
from tests.palettes.sheet import HEAD_PX, NAME_PX, sheet
from tests.palettes.vision import distances

KINDS = {
    "temperature": "diverging",
    "temperature_850": "diverging",
    "dewpoint": "diverging",
    "humidity": "diverging",
    "precipitable_water": "diverging",
    "vorticity": "diverging",
    "temperature_advection": "diverging",
}  # all others are amounts: sequential
BARE = ("rate_", "reflectivity_", "precipitation", "snowfall", "jet", "cape", "cloud")
TYPES = ("unknown", "rain", "snow", "sleet", "freezing_rain")
UNITS = ("imperial", "metric")


def failures(scale: Scale, units: str, palette: str) -> list[str]:
    display = getattr(scale, units).in_palette(palette)
    kind = KINDS.get(scale.key, "sequential")
    return findings(display, kind, bare=scale.key.startswith(BARE))


def test_every_scale_passes_as_it_is_or_has_an_alternative_that_does(scales):
    failing = {
        (key, units): found
        for key, scale in scales.items()
        for units in UNITS
        if (found := failures(scale, units, "accessible"))
    }

    assert not failing


def test_usual_vision_tells_the_classes_of_every_traditional_palette_apart(scales):
    confused = {
        (key, units): found
        for key, scale in scales.items()
        for units in UNITS
        if (found := list(alike(classes(getattr(scale, units)), None)))
    }

    assert not confused


@pytest.mark.parametrize("palette", ["traditional", "accessible"])
def test_renderer_and_interface_ask_for_the_palette_of_the_style(palette, scales):
    style = Style(palette=palette)
    shown = [scale.display(style) for scale in scales.values()]

    painted = entry.bin_colours(tuple(shown))

    for scale, colours in zip(scales.values(), painted, strict=True):
        own = bin_colours(scale.imperial.in_palette(palette))
        assert colours == tuple("" if c is None else f"#{bytes(c).hex()}" for c in own)
    assert any(s.imperial.accessible for s in scales.values())


def test_both_units_of_a_scale_have_an_alternative_or_neither(scales):
    for key, scale in scales.items():
        assert bool(scale.imperial.accessible) == bool(scale.metric.accessible), key


def test_the_alternative_keeps_what_is_bare_and_what_is_not(scales):
    for key, scale in scales.items():
        for display in (scale.imperial, scale.metric):
            other = display.in_palette("accessible")
            assert (other.under == "") == (display.under == ""), key
            assert (other.over == "") == (display.over == ""), key
            assert other.levels == display.levels


@pytest.mark.parametrize("quantity", ["rate", "reflectivity"])
@pytest.mark.parametrize("vision", VISIONS)
def test_types_of_precipitation_are_told_apart_at_any_intensity(quantity, vision, scales):
    for one, other in combinations(TYPES, 2):
        colours = [
            classes(scales[f"{quantity}_{kind}"].imperial.in_palette("accessible"))
            for kind in (one, other)
        ]
        assert distances(*colours, vision).min() >= FAMILIES, (one, other)


def test_scales_with_a_freezing_point_break_there_in_both_palettes(scales):
    for key, units, freezing in (
        ("temperature", "imperial", 32.5),
        ("temperature", "metric", 0),
        ("temperature_850", "imperial", 0),
        ("dewpoint", "imperial", 32.5),
        ("dewpoint", "metric", 0),
    ):
        for palette in ("traditional", "accessible"):
            display = getattr(scales[key], units).in_palette(palette)
            colours = classes(display)
            steps = np.diag(distances(colours, colours), 1)[1:-1]  # without the open ends
            assert steps.argmax() + 1 == display.levels.index(freezing), (key, units, palette)


def test_the_documentation_says_what_the_check_finds(scales, palette_table):
    told = {
        key: (row["kind"], row["traditional"], row["alternative"])
        for key, row in palette_table.items()
    }
    found = {}
    for key, scale in scales.items():
        fails = any(failures(scale, units, "traditional") for units in UNITS)
        alternative = "yes" if scale.imperial.accessible else "no"
        kind = KINDS.get(key, "sequential")
        found[key] = (kind, "fails" if fails else "passes", alternative)

    assert told == found


def test_the_picture_in_the_documentation_shows_these_palettes(scales, config_dir):
    picture = cv2.imread(str(config_dir.parent / "docs" / "images" / "palettes.png"))

    drawn = sheet(scales)

    assert picture.shape == drawn.shape
    assert np.array_equal(picture[HEAD_PX:, NAME_PX:, ::-1], drawn[HEAD_PX:, NAME_PX:])
