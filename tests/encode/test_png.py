import io
import struct

import cv2
import deflate
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from render_farm.encode import png

COLOURS = np.random.default_rng(0).integers(0, 256, (256, 3)).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    count=st.integers(1, 256),
    seed=st.integers(0, 99),
)
def test_another_reader_sees_the_same_picture(height, width, count, seed):
    indices = np.random.default_rng(seed).integers(0, count, (height, width)).astype(np.uint8)

    image = Image.open(io.BytesIO(png.encode(indices, COLOURS[:count])))

    assert image.mode == "P"
    np.testing.assert_array_equal(np.asarray(image.convert("RGB")), COLOURS[indices])


def test_texts_are_in_the_file_and_any_script_survives():
    texts = {"Title": "GFS · 2 m temperature (°F)", "model": "gfs", "notice": "−12 ≤ T"}
    data = png.encode(np.zeros((4, 4), np.uint8), COLOURS, texts)

    assert png.read_texts(data) == texts
    assert {k: str(v) for k, v in Image.open(io.BytesIO(data)).text.items()} == texts


def test_equal_pictures_have_equal_bytes():
    indices = np.arange(64, dtype=np.uint8).reshape(8, 8)

    assert png.encode(indices, COLOURS, {"a": "b"}) == png.encode(indices, COLOURS, {"a": "b"})


def test_a_large_picture_is_packed_harder_and_reads_the_same():
    noise = np.random.default_rng(7).normal(size=(1000, 1700)).astype(np.float32)
    hills = cv2.GaussianBlur(noise, (0, 0), 3)
    indices = (60 * (hills - hills.min()) / np.ptp(hills)).astype(np.uint8)
    quick = deflate.zlib_compress(np.pad(indices, ((0, 0), (1, 0))).tobytes(), png.BUSY_LEVEL)
    assert len(quick) > png.LARGE_BYTES

    data = png.encode(indices, COLOURS[:61])

    assert len(data) < 0.97 * len(quick)
    image = Image.open(io.BytesIO(data)).convert("RGB")
    np.testing.assert_array_equal(np.asarray(image), COLOURS[indices])


@pytest.mark.parametrize(
    ("indices", "colours", "texts"),
    [
        (np.zeros((4, 4), np.uint16), COLOURS, {}),
        (np.zeros((4,), np.uint8), COLOURS, {}),
        (np.zeros((0, 4), np.uint8), COLOURS, {}),
        (np.zeros((4, 4), np.uint8), COLOURS[:0], {}),
        (np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8), {}),
        (np.zeros((4, 4), np.uint8), COLOURS, {"": "no keyword"}),
        (np.zeros((4, 4), np.uint8), COLOURS, {"a": "nul \0"}),
    ],
)
def test_what_png_cannot_hold_is_refused(indices, colours, texts):
    with pytest.raises(ValueError):
        png.encode(indices, colours, texts)


def test_a_damaged_file_is_told(tmp_path):
    data = bytearray(png.encode(np.zeros((4, 4), np.uint8), COLOURS))
    data[60] ^= 1

    with pytest.raises(ValueError, match="damaged"):
        png.read_texts(bytes(data))
    with pytest.raises(ValueError, match="not a PNG"):
        png.read_texts(b"GIF89a")


def test_a_file_is_written_whole_and_nothing_else_is_left(tmp_path):
    target = tmp_path / "pnw.t2m.png"
    target.write_bytes(b"old")

    png.write(target, b"new")

    assert target.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["pnw.t2m.png"]


def test_a_picture_of_indices_is_a_palette_file_without_alpha():
    data = png.encode(np.zeros((3, 5), np.uint8), COLOURS[:7])

    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert (width, height, depth, kind) == (5, 3, 8, 3)
    assert b"tRNS" not in data


def test_a_long_text_is_compressed_and_everybody_reads_it():
    lines = "\n".join(f"f{n:03d}:{n * 512000}:APCP:surface:0-{n} hour acc fcst" for n in range(500))

    data = png.encode(np.zeros((4, 4), np.uint8), COLOURS, {"Source": lines, "unit": "°F"})

    assert len(data) < len(lines) / 3
    assert png.read_texts(data) == {"Source": lines, "unit": "°F"}
    assert Image.open(io.BytesIO(data)).text["Source"] == lines
