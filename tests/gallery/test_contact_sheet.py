import cv2
import numpy as np
import pytest

from render_farm.domain.contactsheet import ContactSheet, Thumbnail
from render_farm.render.contactsheet import (
    EMPTY,
    GAP_PX,
    LABEL_PX,
    PAPER,
    compose,
    quantised,
    write_sheet,
)

RED, GREEN, BLUE = (200, 10, 20), (20, 180, 30), (10, 40, 220)


@pytest.fixture
def picture(tmp_path):
    def write(colour, width=200, height=150):
        path = tmp_path / f"{colour[0]}-{width}x{height}.png"
        cv2.imwrite(str(path), np.full((height, width, 3), colour[::-1], np.uint8))
        return str(path)

    return write


def sheet(tmp_path, thumbnails, columns=2, width_px=100, ratio=0.75):
    return ContactSheet(tuple(thumbnails), columns, width_px, ratio, str(tmp_path / "a/sheet.png"))


def middle(image, row, column, width_px=100, height_px=75):
    y = GAP_PX + row * (height_px + LABEL_PX + GAP_PX) + height_px // 2
    x = GAP_PX + column * (width_px + GAP_PX) + width_px // 2
    return tuple(image[y, x].tolist())


def test_pictures_stand_row_by_row_in_their_order(picture, tmp_path):
    thumbnails = [Thumbnail(str(c), picture(c)) for c in (RED, GREEN, BLUE)]

    image = compose(sheet(tmp_path, thumbnails))

    assert image.shape == (2 * (75 + LABEL_PX + GAP_PX) + GAP_PX, 2 * (100 + GAP_PX) + GAP_PX, 3)
    assert [middle(image, 0, 0), middle(image, 0, 1), middle(image, 1, 0)] == [RED, GREEN, BLUE]
    assert middle(image, 1, 1) == (PAPER,) * 3


def test_a_place_without_a_picture_stays_empty_and_keeps_its_label(picture, tmp_path):
    image = compose(sheet(tmp_path, [Thumbnail("aigfs refc", None), Thumbnail("", picture(RED))]))

    assert middle(image, 0, 0) == (EMPTY,) * 3
    label = image[GAP_PX + 75 : GAP_PX + 75 + LABEL_PX, GAP_PX : GAP_PX + 100]
    assert label.min() < 100


def test_a_tall_picture_is_made_smaller_not_squeezed(picture, tmp_path):
    image = compose(sheet(tmp_path, [Thumbnail("tall", picture(RED, 100, 200))], columns=1))

    red = (image == RED).all(axis=-1)
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    assert rows.size == 75
    assert columns.size == 38  # 75 / 2
    assert abs((columns[0] + columns[-1]) / 2 - (GAP_PX + 49.5)) <= 1


def test_the_file_is_a_palette_png_that_others_read(picture, tmp_path):
    wanted = sheet(tmp_path, [Thumbnail("red", picture(RED)), Thumbnail("green", picture(GREEN))])

    size = write_sheet(wanted)

    data = (tmp_path / "a" / "sheet.png").read_bytes()
    assert len(data) == size
    assert data[25] == 3  # colour type: palette
    image = cv2.imread(wanted.target, cv2.IMREAD_COLOR_RGB)
    assert middle(image, 0, 0) == pytest.approx(RED, abs=2)
    assert middle(image, 0, 1) == pytest.approx(GREEN, abs=2)


def test_few_colours_stay_near_the_many():
    ramp = np.linspace(0, 255, 640).astype(np.uint8)
    image = np.stack(np.broadcast_arrays(ramp[None, :], ramp[:480, None], np.uint8(90)), axis=-1)

    indices, colours = quantised(image)

    assert indices.shape == image.shape[:2]
    assert len(colours) <= 256
    difference = np.abs(colours[indices].astype(int) - image)
    assert difference.mean() < 8


def test_what_is_no_picture_is_named(tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_text("<html>")

    with pytest.raises(OSError, match="bad.png"):
        compose(sheet(tmp_path, [Thumbnail("bad", str(bad))]))
    with pytest.raises(ValueError, match="needs thumbnails"):
        compose(sheet(tmp_path, []))
