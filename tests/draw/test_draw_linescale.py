import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.domain.layers import LineLayer
from render_farm.domain.scales import Display
from render_farm.draw.linescale import USUAL_KM, closer_step, counted_in, layer_at

MSLP = LineLayer(field="mslp", unit="hPa", step=4, smooth_km=40)


@pytest.mark.parametrize(
    ("span_km", "step"), [(3000, 4), (900, 4), (780, 4), (450, 2), (300, 2), (222, 1), (20, 1)]
)
def test_isobars_stand_closer_on_smaller_ground(span_km, step):
    assert layer_at(MSLP, span_km).step == step


def test_a_map_of_usual_size_is_left_as_the_product_says():
    assert layer_at(MSLP, USUAL_KM) is MSLP


def test_smoothing_leaves_shapes_on_a_small_map():
    assert layer_at(MSLP, 222).smooth_km == pytest.approx(11.1)
    assert layer_at(MSLP.model_copy(update={"smooth_km": 0.0}), 222).smooth_km == 0


def test_levels_that_are_listed_stay():
    layer = LineLayer(field="omega", unit="Pa/s", levels=[-2, -1])

    assert layer_at(layer, 100).levels == (-2, -1)


@given(
    step=st.sampled_from([1.0, 2.0, 3.0, 4.0, 6.0, 12.0, 60.0, 0.5, 2.5]), share=st.floats(0.01, 1)
)
def test_every_line_of_the_product_is_still_there(step, share):
    closer = closer_step(step, share)

    assert (step / closer) % 1 == 0
    assert step * min(share, 1) <= closer <= step
    assert closer == int(closer) or step != int(step)


FAHRENHEIT = {"factor": 1.8, "offset": -459.67}
CELSIUS = {"unit": "°C", "offset": -273.15}


def display(**keys):
    anchors = [(0, "#000000"), (10, "#ffffff")]
    return Display(**{"unit": "°F", "levels": [0, 10], "anchors": anchors, **keys})


def test_a_line_through_the_fill_is_counted_as_the_fill_is():
    line = LineLayer(field="fill", unit="°F", levels=[14, 32, 50], **FAHRENHEIT)

    celsius = counted_in(line, display(**CELSIUS))

    assert (celsius.unit, celsius.levels) == ("°C", (-10, 0, 10))
    kelvin = [(level - celsius.offset) / celsius.factor for level in celsius.levels]
    assert kelvin == pytest.approx([263.15, 273.15, 283.15])
    assert counted_in(line, display(**FAHRENHEIT)) is line


def test_lines_by_step_and_of_other_fields_keep_their_unit():
    for layer in (
        LineLayer(field="fill", unit="°F", step=10, **FAHRENHEIT),
        LineLayer(field="mslp", unit="hPa", levels=[1000], factor=0.01),
    ):
        assert counted_in(layer, display(**CELSIUS)) is layer
