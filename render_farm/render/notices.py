"""Pictures that say something instead of showing a map: drawn once, shipped with the service.

    python -m render_farm.render.notices twf_async/web/pictures

The service has no arrays and draws nothing itself, so what it may have to say is drawn beforehand.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from render_farm.draw.glyphs import Weight
from render_farm.draw.text import draw_text, text_width
from render_farm.encode import png

WIDTH, HEIGHT = 640, 400
PAPER, INK = (244, 245, 247), (58, 66, 78)  # reads on pages of any colour
RULE = (176, 184, 196)
GONE = (
    ("This map is no longer kept", 32.0, "bold", 1.0),
    ("Its forecast run has been taken offline", 21.0, "regular", 0.85),
    ("to make room for newer ones.", 21.0, "regular", 0.85),
)
_GREYS = 32


def gone() -> bytes:
    """PNG: the map of a run that was taken off."""
    ink = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    _crossed_frame(ink)
    y = 236.0
    for text, size_px, weight, strength in GONE:
        _line(ink, y, text, size_px, "bold" if weight == "bold" else "regular", strength)
        y += 1.75 * size_px
    return _encoded(ink)


def write(directory: Path) -> tuple[Path, ...]:
    """Draw all of them into *directory*."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "gone.png"
    path.write_bytes(gone())
    return (path,)


def _line(
    ink: NDArray[np.uint8], y: float, text: str, size_px: float, weight: Weight, strength: float
) -> None:
    if text_width(text, size_px, weight) > WIDTH - 40:
        raise ValueError(f"{text!r} is wider than the picture")
    draw_text(ink, WIDTH / 2, y, text, size_px, weight=weight, anchor="mm", strength=strength)


def _crossed_frame(ink: NDArray[np.uint8]) -> None:
    """An empty picture frame, crossed out, in the upper half."""
    left, right, top, bottom, thick = WIDTH // 2 - 66, WIDTH // 2 + 66, 76, 172, 4
    shade = 150
    ink[top : top + thick, left:right] = shade
    ink[bottom - thick : bottom, left:right] = shade
    ink[top:bottom, left : left + thick] = shade
    ink[top:bottom, right - thick : right] = shade
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    ax, ay, bx, by = left - 18.0, bottom + 18.0, right + 18.0, top - 18.0
    along = np.clip(
        ((columns - ax) * (bx - ax) + (rows - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2),
        0,
        1,
    )
    away = np.hypot(columns - ax - along * (bx - ax), rows - ay - along * (by - ay))
    bare = np.clip(away - 5.0, 0, 1)  # the stroke stands free of the frame
    stroke = 255 * np.clip(3.0 - away, 0, 1)
    ink[:] = np.maximum(ink * bare, stroke).astype(np.uint8)


def _encoded(ink: NDArray[np.uint8]) -> bytes:
    """Ink on paper inside a thin border, in few greys: some kilobytes."""
    share = np.linspace(0, 1, _GREYS)[:, None]
    palette = np.vstack([np.asarray(PAPER) * (1 - share) + np.asarray(INK) * share, [RULE]])
    indices = (ink.astype(np.uint16) * (_GREYS - 1) // 255).astype(np.uint8)
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        indices[edge] = _GREYS
    return png.encode(indices, np.rint(palette).astype(np.uint8), {"Title": GONE[0][0]})


if __name__ == "__main__":
    for written in write(Path(sys.argv[1])):
        print(written)  # noqa: T201
