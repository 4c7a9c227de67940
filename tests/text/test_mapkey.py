import numpy as np
import pytest

from render_farm.domain.layers import HatchLayer, LineLayer, WindLayer
from render_farm.domain.style import Style
from render_farm.draw.captions import captions
from render_farm.draw.furniture import furniture
from render_farm.draw.keyline import key_width, keyed_line
from render_farm.draw.layout import layout
from render_farm.draw.mapkey import map_key
from render_farm.draw.text import text_width

ALL = {"fill", "u", "v", "mslp", "thickness", "height", "omega", "frontogenesis", "cin"}
MSLP = LineLayer(field="mslp", title="MSLP", unit="hPa", factor=0.01, step=4)


def made(**changes):
    facts = {
        "model_title": "GFS",
        "product_title": "700 hPa temperature advection, frontogenesis, height, wind",
        "unit": "K/3 h",
        "region_title": "Pacific Northwest",
        "cycle": "2026012912",
        "hour": 6,
        "timezone": "America/Los_Angeles",
        "style": Style(),
        "notice": "synthetic demo data",
    }
    return captions(**{**facts, **changes})


def line(title, unit, **levels):
    return LineLayer(field="fill", title=title, unit=unit, **levels)


def full(product, drawn=frozenset(ALL)):
    return [item.texts[0] for item in map_key(product, drawn)]


def test_the_main_lines_come_first_with_step_and_unit(products):
    texts = full(products["mslp_ptype"])

    assert texts[0] == "MSLP every 4 hPa"
    assert texts[1].endswith("thickness every 6 dam")


def test_samples_look_like_the_lines(products):
    mslp, thickness = map_key(products["mslp_ptype"], ALL)

    assert (mslp.sample, mslp.colours) == ("line", ("#000000",))
    assert (thickness.sample, len(thickness.colours)) == ("dashes", 2)


def test_barbs_and_hatching_are_named_with_their_units(products):
    assert full(products["cape"]) == ["barbs kt", "CIN below −50 J/kg"]


def test_streamlets_need_no_unit(products):
    product = products["cape"].model_copy(update={"wind": WindLayer(style="streamlets")})

    assert full(product) == ["CIN below −50 J/kg"]


def test_what_the_recipe_did_not_make_is_not_named(products):
    assert full(products["mslp_ptype"], {"fill", "mslp"}) == ["MSLP every 4 hPa"]
    assert full(products["cape"], {"fill"}) == []


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (line("freezing line", "°F", levels=[32]), "freezing line 32 °F"),
        (line("lift", "Pa/s", levels=[-2, -1, -0.5]), "lift −2, −1, −0.5 Pa/s"),
        (line("front", "K", levels=[1, 2, 4, 8, 16]), "front 1 to 16 K"),
        (line("step", "", step=2.5), "step every 2.5"),
    ],
)
def test_levels_are_listed_while_they_are_few(products, layer, text):
    product = products["t2m"].model_copy(update={"lines": (layer,)})

    assert full(product) == [text]


def test_a_layer_without_title_is_left_out(products):
    product = products["t2m"].model_copy(
        update={
            "lines": (MSLP.model_copy(update={"title": ""}),),
            "hatching": (HatchLayer(field="cin", unit="J/kg", above=0),),
        }
    )

    assert map_key(product, ALL) == ()


def test_forms_get_shorter(products):
    for product in products.values():
        for item in map_key(product, ALL):
            lengths = [len(text) for text in item.texts]
            assert lengths == sorted(lengths, reverse=True)


@pytest.mark.parametrize("key", ["mslp_ptype", "t700_adv", "rh700", "cape", "t850"])
@pytest.mark.parametrize("width", [300, 420, 640, 900, 1300, 1700, 2600])
def test_the_key_never_runs_into_the_lead_time(products, key, width):
    texts = made(key=map_key(products[key], ALL), notice="")

    found = keyed_line(texts, width, 12)

    if found is None:
        assert width < 700
        return
    size = found.line.size_px
    used = text_width(found.line.left, size) + key_width(texts.key, found.form, size)
    assert used + text_width(found.line.right, size) + size <= width


def test_the_key_does_not_move_within_a_loop(products):
    items = map_key(products["mslp_ptype"], ALL)
    for width in (500, 640, 800, 1200, 1600):
        found = {
            (line.line.left, line.line.size_px, line.form)
            for line in (
                keyed_line(made(key=items, hour=hour), width, 12) for hour in range(0, 385, 3)
            )
            if line is not None
        }
        assert len(found) <= 1


@pytest.mark.parametrize(
    "size", [(1600, 1200), (1700, 1300), (800, 600), (400, 300), (1200, 1600), (2400, 1600)]
)
@pytest.mark.parametrize("notice", ["", "synthetic demo data"])
def test_samples_stay_in_the_header_beside_the_words(products, size, notice):
    plan = layout(*size)
    drawn = furniture(plan, made(key=map_key(products["t700_adv"], ALL), notice=notice), [])

    header = drawn.ink[: plan.header.bottom - 3]
    assert not header[:, -4:].any()
    for canvas in drawn.tints.values():
        assert canvas.shape == (plan.header.height, size[0])
        assert canvas.any()
        assert np.nonzero(canvas)[0].min() > plan.header.height * 0.4
        assert not (drawn.ink[: plan.header.bottom][canvas > 0] > 100).any()
    assert set(drawn.tints) in (set(), {(0, 0, 0), (122, 31, 162)})
    if size[0] >= 1600:
        assert drawn.tints


def test_hatching_is_shown_as_a_box_of_strokes(products):
    plan = layout(1600, 1200)
    drawn = furniture(plan, made(key=map_key(products["cape"], ALL)), [])

    (canvas,) = drawn.tints.values()
    rows, columns = np.nonzero(canvas)
    box = canvas[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert box.shape[1] > 1.5 * box.shape[0] > 15
    assert box[0].min() > 100
    assert 0.1 < (box[3:-3, 3:-3] / 255).mean() < 0.5
