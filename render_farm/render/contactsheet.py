"""Puts finished pictures on one sheet, small and labelled, as a palette PNG."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from render_farm.domain.contactsheet import ContactSheet, Thumbnail
from render_farm.draw.text import draw_text
from render_farm.encode import png

GAP_PX = 6
LABEL_PX = 15  # row under each thumbnail
FONT_PX = 11.0
PAPER, EMPTY = 255, 243
COLOURS = 256

Image3 = NDArray[np.uint8]


def write_sheet(sheet: ContactSheet) -> int:
    """Write the sheet's PNG; returns its bytes. OSError for a picture that cannot be read."""
    data = png.encode(*quantised(compose(sheet)))
    target = Path(sheet.target)
    target.parent.mkdir(parents=True, exist_ok=True)
    png.write(target, data)
    return len(data)


def compose(sheet: ContactSheet) -> Image3:
    """The sheet as (rows, columns, 3) uint8, RGB; ValueError for one without thumbnails."""
    if not sheet.thumbnails or sheet.columns < 1:
        raise ValueError("a contact sheet needs thumbnails, and at least one column of them")
    height_px = round(sheet.width_px * sheet.ratio)
    rows = -(-len(sheet.thumbnails) // sheet.columns)
    cell = (height_px + LABEL_PX + GAP_PX, sheet.width_px + GAP_PX)
    canvas = np.full(
        (rows * cell[0] + GAP_PX, sheet.columns * cell[1] + GAP_PX, 3), PAPER, np.uint8
    )
    for top, left, thumbnail in _places(sheet, cell):
        room = canvas[top : top + height_px, left : left + sheet.width_px]
        room[:] = EMPTY
        if thumbnail.path is not None:
            _fill(room, _read(thumbnail.path))
        _write(canvas, left, top + height_px + LABEL_PX / 2, thumbnail.label)
    return canvas


def quantised(image: Image3) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Indices (rows, columns) and up to 256 colours (n, 3) that come close to *image*, undithered.

    Dithering would double the bytes, and maps have flat colours.
    """
    few = Image.fromarray(image).quantize(
        COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    indices = np.asarray(few, np.uint8)
    colours = np.asarray(few.getpalette(), np.uint8).reshape(-1, 3)[: int(indices.max()) + 1]
    return indices, colours


def _places(sheet: ContactSheet, cell: tuple[int, int]) -> Iterator[tuple[int, int, Thumbnail]]:
    for k, thumbnail in enumerate(sheet.thumbnails):
        row, column = divmod(k, sheet.columns)
        yield GAP_PX + row * cell[0], GAP_PX + column * cell[1], thumbnail


def _read(path: str) -> Image3:
    image = cv2.imread(path, cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise OSError(f"{path} is no picture that can be read")
    return np.asarray(image, np.uint8)


def _fill(room: Image3, image: Image3) -> None:
    """Shrink a picture into its room, in the middle of it."""
    scale = min(room.shape[0] / image.shape[0], room.shape[1] / image.shape[1])
    height, width = round(image.shape[0] * scale), round(image.shape[1] * scale)
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    top, left = (room.shape[0] - height) // 2, (room.shape[1] - width) // 2
    room[top : top + height, left : left + width] = small


def _write(canvas: Image3, x: float, y: float, text: str) -> None:
    ink = np.zeros(canvas.shape[:2], np.uint8)
    draw_text(ink, x, y, text, FONT_PX)
    np.minimum(canvas, (255 - ink)[..., np.newaxis], out=canvas)
