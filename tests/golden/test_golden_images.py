"""Maps as they were when somebody last looked at them. `make golden` makes them anew."""

from pathlib import Path

import numpy as np
import pytest

from render_farm.draw.text import draw_text
from tests.golden.comparing import difference, read, side_by_side, write
from tests.golden.conftest import GOLDEN, SIZE

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGES = REPOSITORY / "tests" / "golden" / "images"
FAILED = REPOSITORY / "var" / "golden"

# On one machine with the pinned versions there is no difference at all. Another processor or
# version may round a lone pixel into the next class or soften an edge; a colour, a line or a word
# that is another one is far beyond one of the two.
LARGEST, MEAN = 60.0, 0.25


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
def test_the_map_looks_as_it_did(golden, drawn, writes_golden):
    result, path = drawn(golden), IMAGES / f"{golden.name}.png"
    assert result.shape == (SIZE[1], SIZE[0], 3)
    if writes_golden:
        write(path, result)
        return
    expected = read(path)
    assert expected is not None, f"there is no {path}; look at it after `make golden`"

    found = difference(result, expected)

    if found.largest > LARGEST or found.mean > MEAN:
        told = FAILED / path.name
        write(told, side_by_side(result, expected))
        pytest.fail(
            f"{golden.name} differs by up to {found.largest:.0f}, {found.mean:.2f} in the mean;"
            f" result, expected and ten times the difference lie in {told}"
        )


def test_no_image_is_left_over():
    assert {path.stem for path in IMAGES.glob("*.png")} <= {golden.name for golden in GOLDEN}


def test_they_show_every_style_and_model():
    for attribute in ("model", "base", "units", "palette"):
        kinds = {getattr(golden, attribute) for golden in GOLDEN}
        assert len(kinds) > 1, attribute
    assert len({golden.product for golden in GOLDEN}) >= 10


def picture():
    rng = np.random.default_rng(1)
    return rng.integers(60, 190, (30, 40, 3)).astype(np.uint8)


def lettered(x):
    ink = np.zeros((30, 40), np.uint8)
    draw_text(ink, x, 15, "32", 11.0)
    return np.minimum(picture(), 255 - ink[..., np.newaxis])


def test_equal_pictures_do_not_differ():
    assert difference(picture(), picture()).largest == 0


def test_a_line_that_moved_is_far_beyond_what_is_allowed():
    before, after = picture(), picture()
    before[10], after[11] = 0, 0

    found = difference(after, before)

    assert found.mean > MEAN * 10
    sheet = side_by_side(after, before)
    assert sheet.shape == (30, 120, 3)
    assert (sheet[:, :40] == after).all()
    assert (sheet[:, 40:80] == before).all()
    assert (sheet[:10, 80:] == 255).all()
    assert sheet[10, 80:].min() == 0


def test_a_lone_pixel_is_let_through_and_a_letter_that_moved_is_not():
    pixel = picture()
    pixel[20, 20] = 0

    assert difference(pixel, picture()).largest < LARGEST
    assert difference(lettered(6.2), lettered(5.2)).largest > LARGEST


def test_another_size_is_never_the_same():
    assert difference(picture(), picture()[:-1]).mean > MEAN
    assert side_by_side(picture(), picture()[:-1]).shape == (30, 120, 3)
