import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render_farm.domain.style import Style
from render_farm.draw.captions import Extreme, captions
from render_farm.draw.fitting import ELLIPSIS, fitted, shortened
from render_farm.draw.furniture import furniture
from render_farm.draw.layout import layout
from render_farm.draw.legend import LegendBar
from render_farm.draw.text import text_width


def made(**changes):
    facts = {
        "model_title": "GFS",
        "product_title": "MSLP, precipitation type and rate, thickness",
        "unit": "mm/h",
        "region_title": "Pacific Northwest",
        "cycle": "2026012912",
        "hour": 6,
        "timezone": "America/Los_Angeles",
        "style": Style(),
        "notice": "synthetic demo data",
        "note": "mean rate of the last 6 h, type unknown",
        "lowest": Extreme("−12", "near Butte, MT"),
        "highest": Extreme("58", "near Medford, OR"),
    }
    return captions(**{**facts, **changes})


TEXTS = st.text("AMWilj−· (°F)0", min_size=1, max_size=80).map(str.strip).filter(bool)


@given(
    lefts=st.lists(TEXTS, min_size=1, max_size=3),
    rights=st.lists(TEXTS, min_size=1, max_size=4),
    room=st.integers(40, 4000),
    size=st.floats(8, 60),
)
@settings(deadline=None)
def test_left_and_right_never_touch_whatever_the_texts(lefts, rights, room, size):
    line = fitted(lefts, rights, rights, room_px=room, size_px=size, left_weight="bold")
    left, right = text_width(line.left, line.size_px, "bold"), text_width(line.right, line.size_px)

    assert left + right + (line.size_px if line.left else 0) <= room
    assert line.right or line.left or room < 100


@pytest.mark.parametrize("hour", [0, 6, 120, 384])
def test_no_line_of_a_real_title_collides_at_any_width(hour):
    texts = made(hour=hour)
    for width in range(400, 4001, 50):
        scale = layout(width, width * 3 // 4).scale
        room = width - 2 * 16 * scale
        line = fitted(
            texts.title,
            texts.valid,
            texts.valid_widest,
            room_px=room,
            size_px=25 * scale,
            left_weight="bold",
            right_weight="bold",
        )
        used = text_width(line.left, line.size_px, "bold")
        used += text_width(line.right, line.size_px, "bold")
        assert used + line.size_px <= room
        assert line.left.startswith("GFS · MSLP, precip")
        assert "Z" in line.right


def test_a_title_keeps_its_size_and_form_through_a_run():
    for width in (400, 640, 800, 1000, 1600):
        lines = set()
        for hour in range(0, 385, 3):
            texts = made(hour=hour)
            line = fitted(
                texts.title, texts.valid, texts.valid_widest, room_px=width, size_px=width / 64
            )
            lines.add((line.left, line.size_px, texts.valid.index(line.right)))
        assert len(lines) == 1


@given(TEXTS, st.floats(0, 500))
def test_a_shortened_text_fits_and_says_that_it_is_short(text, room):
    short = shortened(text, room, 15)

    assert text_width(short, 15) <= room or short == ""
    assert short in ("", text) or short.endswith(ELLIPSIS)


@pytest.mark.parametrize("size", [(1600, 1200), (800, 600), (2400, 1600), (400, 300), (200, 200)])
@pytest.mark.parametrize("product", ["t2m", "mslp_ptype"])
def test_furniture_leaves_the_map_alone_and_fills_header_and_footer(
    size, product, products, scales
):
    plan = layout(*size)
    bars = [
        LegendBar(scales[key].title, scales[key].imperial.unit, scales[key].imperial)
        for key in products[product].scales.values()
    ]
    drawn = furniture(plan, made(), bars)

    assert drawn.ink.shape == (size[1], size[0])
    assert not drawn.ink[plan.map.top : plan.map.bottom].any()
    assert drawn.ink[: plan.header.bottom].any()
    assert drawn.ink[plan.footer.top :].any()
    for swatch in drawn.swatches:
        rect = swatch.rect
        assert plan.footer.top < rect.top < rect.bottom <= plan.footer.bottom
        assert 0 <= rect.left < rect.right <= size[0]


def test_nothing_is_cut_at_the_left_or_right_border():
    for width in range(400, 2401, 250):
        ink = furniture(layout(width, width * 3 // 4), made(), []).ink
        plan = layout(width, width * 3 // 4)
        header = ink[: plan.header.bottom - 2 * round(plan.scale + 1)]

        assert not header[:, :4].any()
        assert not header[:, -4:].any()


def test_frames_of_a_run_differ_only_where_times_and_facts_are_written(scales):
    plan = layout(1600, 1200)
    bars = [LegendBar("", "°F", scales["temperature"].imperial)]
    one, other = (
        furniture(plan, made(hour=hour, highest=Extreme(text)), bars)
        for hour, text in ((6, "58"), (105, "61"))
    )
    changed = one.ink != other.ink

    assert one.swatches is other.swatches
    assert not changed[: plan.header.bottom, :800].any()
    assert not changed[plan.footer.top : plan.footer.bottom - 40].any()
    assert changed.any()


def test_the_notice_is_on_a_plate():
    with_notice = furniture(layout(1600, 1200), made(), []).ink
    without = furniture(layout(1600, 1200), made(notice=""), []).ink
    plate = (with_notice == 255) & (without < 255)

    assert plate[40:78].any(axis=0).sum() > 150


def test_layouts_grow_with_the_frame_but_text_less_than_the_frame():
    small, reference, large = layout(800, 600), layout(1600, 1200), layout(3200, 2400)

    assert reference.scale == 1
    assert 0.5 < small.scale < 0.7
    assert 1.5 < large.scale < 2
    for plan in (small, reference, large, layout(200, 200), layout(8000, 300)):
        assert plan.header.bottom == plan.map.top
        assert plan.map.bottom == plan.footer.top
        assert plan.map.height >= 0.45 * plan.height


def test_ink_is_not_shared_between_frames():
    plan = layout(800, 600)
    first = furniture(plan, made(), [])
    kept = first.ink.copy()
    furniture(plan, made(hour=9), [])

    np.testing.assert_array_equal(first.ink, kept)
