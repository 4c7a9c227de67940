"""What an operator may write about lines and hatching."""

import pytest
from pydantic import ValidationError

from render_farm.domain.layers import HatchLayer, LineLayer


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


@pytest.mark.parametrize("layer", [LineLayer, HatchLayer])
def test_a_layer_is_counted_in_some_unit(layer):
    limits = {"levels": [1]} if layer is LineLayer else {"below": 1}
    with pytest.raises(ValidationError, match="unit of 0"):
        layer(field="mslp", unit="hPa", factor=0, **limits)
