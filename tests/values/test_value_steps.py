"""How finely fields are kept: by quantity, whatever a site displays."""

import tomllib
from itertools import pairwise

import pytest

from render_farm.domain.scales import Scale
from render_farm.values.steps import step_of


@pytest.fixture(scope="module")
def scales(config_dir):
    tables = tomllib.loads((config_dir / "scales.toml").read_text(encoding="utf-8"))
    return {key: Scale(key=key, **table) for key, table in tables.items()}


def test_every_shipped_scale_has_a_step_much_finer_than_its_bins(scales):
    for key, scale in scales.items():
        step = step_of(scale)
        for display in (scale.imperial, scale.metric):
            edges = display.levels
            widths = [b - a for a, b in pairwise(edges)]
            assert step <= min(widths) / abs(display.factor) / 4, key


def test_no_step_is_coarser_than_the_product_deserves(scales):
    assert step_of(scales["temperature"]) <= 0.05
    assert step_of(scales["precipitation"]) <= 0.01
    assert step_of(scales["snowfall"]) <= 0.0005
    assert step_of(scales["wind"]) <= 0.1


def test_a_quantity_that_no_table_knows_takes_its_step_from_its_bins():
    """Bins of 0.25 mi and more: 402 m / 20 = 20.1 m, rounded down to 20; metric ones are wider."""
    scale = Scale.model_validate(
        {
            "key": "visibility",
            "title": "visibility",
            "si_unit": "furlong",
            "imperial": {
                "unit": "mi",
                "factor": 1 / 1609.344,
                "levels": [0.25, 0.5, 1, 3],
                "anchors": [[0, "#000000"], [3, "#ffffff"]],
            },
            "metric": {
                "unit": "km",
                "factor": 0.001,
                "levels": [0.5, 1, 5],
                "anchors": [[0, "#000000"], [3, "#ffffff"]],
            },
        }
    )
    assert step_of(scale) == pytest.approx(20)
