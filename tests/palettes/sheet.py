"""Draws the sheet of docs/palettes.md: every palette as each kind of eye sees it.

python -m tests.palettes.sheet docs/images/palettes.png
"""

import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.domain.scales import Display, Scale
from render_farm.draw.palette import GROUNDS
from render_farm.draw.text import draw_text
from tests.palettes.judge import VISIONS, classes
from tests.palettes.vision import simulated

NAME_PX, BAR_PX, GAP_PX, ROW_PX, HEAD_PX = 250, 300, 14, 20, 34
SCALES = Path(__file__).resolve().parents[2] / "config" / "scales.toml"

Picture = NDArray[np.uint8]


def sheet(scales: dict[str, Scale]) -> Picture:
    """(h, w, 3) RGB: a row for each palette, a column for each kind of colour vision."""
    rows: list[tuple[str, Display]] = []
    for key, scale in scales.items():
        rows.append((key, scale.imperial))
        if scale.imperial.accessible:
            rows.append(("accessible", scale.imperial.in_palette("accessible")))
    width = NAME_PX + len(VISIONS) * (BAR_PX + GAP_PX)
    ink = np.zeros((HEAD_PX + len(rows) * ROW_PX + GAP_PX, width), np.uint8)
    ground = GROUNDS["light"]
    picture = np.full((*ink.shape, 3), ground.paper, np.uint8)
    for column, vision in enumerate(VISIONS):
        left = NAME_PX + column * (BAR_PX + GAP_PX)
        draw_text(ink, left, HEAD_PX / 2, vision or "usual colour vision", 14)
        for number, (_, display) in enumerate(rows):
            top = HEAD_PX + number * ROW_PX
            seen = simulated(classes(display), vision).round().astype(np.uint8)
            at = np.arange(BAR_PX) * len(seen) // BAR_PX
            picture[top : top + ROW_PX - 4, left : left + BAR_PX] = seen[at]
    for number, (name, _) in enumerate(rows):
        middle = HEAD_PX + number * ROW_PX + (ROW_PX - 4) / 2
        second = name == "accessible"
        strength = 0.6 if second else 1.0
        draw_text(ink, 28 if second else GAP_PX, middle, name, 13, strength=strength)
    alpha = ink[..., None] / 255
    return np.asarray(picture * (1 - alpha) + np.array(ground.ink) * alpha, np.uint8)


if __name__ == "__main__":
    tables = tomllib.loads(SCALES.read_text(encoding="utf-8"))
    drawn = sheet({key: Scale(key=key, **table) for key, table in tables.items()})
    cv2.imwrite(sys.argv[1], drawn[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
