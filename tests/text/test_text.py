import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from render_farm.draw.glyphs import FONTS, REPLACEMENT, grown, half_pixels, word
from render_farm.draw.text import draw_text, text_size, text_width

TEXTS = ["−40", "27", "GFS", "Québec", "(°F)", "July", "12Z", "0.05", "AVATAR", "temperature"]


def by_matplotlib(text, size, weight, shape, x, baseline):
    """The same text through matplotlib's own renderer: coverage uint8."""
    path = f"{mpl.get_data_path()}/fonts/ttf/{FONTS[weight]}"
    with mpl.rc_context({"text.hinting": "no_hinting"}):
        renderer = RendererAgg(shape[1], shape[0], 72)
        context = renderer.new_gc()
        renderer.draw_text(context, x, baseline, text, FontProperties(fname=path, size=size), 0)
        return np.asarray(renderer.buffer_rgba())[..., 3]


@pytest.mark.parametrize("weight", ["regular", "bold"])
@pytest.mark.parametrize("size", [11, 17, 26])
def test_ink_is_that_of_matplotlib(size, weight):
    """Hinting moves rows by a fraction of a pixel; columns, amount and place agree."""
    for text in TEXTS:
        ours = np.zeros((60, 400), np.uint8)
        draw_text(ours, 10, 40, text, size, weight=weight, anchor="ls")
        theirs = by_matplotlib(text, size, weight, ours.shape, 10, 40)

        assert float(ours.sum()) == pytest.approx(float(theirs.sum()), rel=0.1)
        for axis in (0, 1):
            ours_at, theirs_at = (
                float(
                    (c.sum(axis=1 - axis, dtype=float) * np.arange(c.shape[axis])).sum() / c.sum()
                )
                for c in (ours.astype(np.float64), theirs.astype(np.float64))
            )
            assert ours_at == pytest.approx(theirs_at, abs=0.75)
        columns = np.flatnonzero(ours.any(axis=0)), np.flatnonzero(theirs.any(axis=0))
        assert abs(np.ptp(columns[0]) - np.ptp(columns[1])) <= 1


def test_letters_within_a_word_are_kerned():
    apart = word("A", "regular", 80).advance + word("V", "regular", 80).advance

    assert word("AV", "regular", 80).advance < apart - 1


def test_ligatures_do_not_change_the_advance():
    apart = word("f", "regular", 40).advance + word("i", "regular", 40).advance

    assert word("fi", "regular", 40).advance == pytest.approx(apart, abs=0.6)


@pytest.mark.parametrize("text", ["°", "−", "–", "—", "·", "é", "ß", "ø", "Ł", "Ω"])
def test_the_signs_that_maps_need_are_in_the_font(text):
    unknown = word(REPLACEMENT, "regular", 40).ink

    for weight in ("regular", "bold"):
        ink = word(text, weight, 40).ink
        assert ink.any()
        assert ink.shape != unknown.shape or (ink != unknown).any()


def test_a_letter_that_the_font_lacks_is_replaced_without_a_warning():
    replaced, known = word("中", "regular", 40), word(REPLACEMENT, "regular", 40)

    np.testing.assert_array_equal(replaced.ink, known.ink)


def test_decomposed_accents_look_like_composed_ones():
    np.testing.assert_array_equal(
        word("Que\u0301bec", "bold", 40).ink, word("Qu\u00e9bec", "bold", 40).ink
    )


@pytest.mark.parametrize("anchor", ["lt", "lm", "ls", "mt", "mm", "ms", "rt", "rm", "rs"])
def test_the_anchor_decides_where_the_capitals_lie(anchor):
    ink = np.zeros((100, 300), np.uint8)
    draw_text(ink, 150, 50, "HHH", 30, anchor=anchor)
    width, height = text_size("HHH", 30)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    left = {"l": 150, "m": 150 - width / 2, "r": 150 - width}[anchor[0]]
    top = {"t": 50, "m": 50 - height / 2, "s": 50 - height}[anchor[1]]

    assert rows[0] == pytest.approx(top, abs=1)
    assert rows[-1] == pytest.approx(top + height - 1, abs=1)
    assert columns[0] == pytest.approx(left + 0.098 * 30, abs=1)  # the side bearing of H


@given(
    x=st.floats(-200, 300),
    y=st.floats(-100, 200),
    text=st.text("Ajq−1 °É", max_size=12),
    size=st.floats(6, 40),
    anchor=st.sampled_from(["lm", "mt", "rs"]),
)
@settings(max_examples=60, deadline=None)
def test_text_is_cut_at_the_border_like_a_larger_drawing(x, y, text, size, anchor):
    pad = 600
    large = np.zeros((80 + 2 * pad, 120 + 2 * pad), np.uint8)
    small = np.zeros((80, 120), np.uint8)
    draw_text(large, round(x) + pad, round(y) + pad, text, size, anchor=anchor)
    draw_text(small, round(x), round(y), text, size, anchor=anchor)

    if round(x) >= 0 and round(y) >= 0:  # rounding of halves differs for negative positions
        np.testing.assert_array_equal(small, large[pad : pad + 80, pad : pad + 120])
    assert large.max(initial=0) >= small.max(initial=0)


def test_drawing_takes_the_maximum_of_both():
    once, twice = np.zeros((40, 120), np.uint8), np.zeros((40, 120), np.uint8)
    draw_text(once, 5, 20, "58", 20)
    for _ in range(2):
        draw_text(twice, 5, 20, "58", 20)
    dark = np.full((40, 120), 255, np.uint8)
    draw_text(dark, 5, 20, "58", 20)

    np.testing.assert_array_equal(once, twice)
    assert (dark == 255).all()


def test_strength_fades_the_ink_but_not_the_halo():
    full, faded, halo = (np.zeros((40, 120), np.uint8) for _ in range(3))
    draw_text(full, 5, 20, "58", 20)
    draw_text(faded, 5, 20, "58", 20, strength=0.5, halo_canvas=halo)

    np.testing.assert_allclose(faded, full * 0.5, atol=1)
    assert halo.max() == 255


def test_the_halo_covers_the_ink_and_reaches_its_radius_beyond():
    ink, halo = np.zeros((60, 120), np.uint8), np.zeros((60, 120), np.uint8)
    draw_text(ink, 20, 30, "58", 24, weight="bold", halo_canvas=halo, halo_px=2.0)
    rows, wide = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(halo.any(axis=1))

    assert (halo >= ink).all()
    assert rows[0] - wide[0] == 2
    assert wide[-1] - rows[-1] == 2


@given(st.floats(0.5, 4))
def test_a_grown_point_is_a_disc_of_that_radius(radius):
    point = np.full((1, 1), 255, np.uint8)
    disc = grown(point, radius).astype(float) / 255
    reach = disc.shape[0] // 2

    assert disc[reach].sum() == pytest.approx(2 * radius + 1, abs=1)
    np.testing.assert_array_equal(disc, disc.T)
    np.testing.assert_array_equal(disc, disc[::-1])


@given(st.text("abcÉ 12−", max_size=20), st.text("abcÉ 12−", max_size=20), st.floats(6, 40))
@settings(deadline=None)
def test_widths_add_up(a, b, size):
    gap = text_width(" ", size)

    assert text_width(f"{a} {b}", size) == pytest.approx(
        text_width(a, size) + gap + text_width(b, size), abs=0.01
    )


def test_sizes_are_kept_in_halves_and_never_vanish():
    assert [half_pixels(s) for s in (0.1, 11.9, 12.2, 12.3)] == [8, 24, 24, 25]
