"""Where things lie on a frame, in pixels. The same for every hour, so loops do not jump."""

from dataclasses import dataclass

HEADER_PX = 80  # two lines of title at the reference size
FOOTER_PX = 108  # legend with names and ticks, and the line of facts below it
REFERENCE_WIDTH_PX = 1600
REFERENCE_HEIGHT_PX = 1200
# Text must stay readable on small frames and need not grow as fast as large ones: half the
# width gives 0.62 of the size, not 0.5.
GROWTH = 0.7
SMALLEST_SCALE = 0.5


@dataclass(frozen=True, slots=True)
class Rect:
    """Pixels left..right-1, top..bottom-1."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Layout:
    """The rectangles of a frame; `scale` is 1 at 1600x1200 px and sizes text and lines."""

    width: int
    height: int
    scale: float
    header: Rect
    map: Rect
    footer: Rect


def layout(width_px: int, height_px: int) -> Layout:
    """Divide a frame of this size into header, map and footer, top to bottom, full width.

    `scale` follows the smaller side, damped, and never falls below `SMALLEST_SCALE`: a frame of
    200x200 px, the smallest that a region may ask for, still has half its height as map.
    """
    share = min(width_px / REFERENCE_WIDTH_PX, height_px / REFERENCE_HEIGHT_PX)
    scale = max(SMALLEST_SCALE, share**GROWTH)
    header = round(HEADER_PX * scale)
    footer = height_px - round(FOOTER_PX * scale)
    return Layout(
        width=width_px,
        height=height_px,
        scale=scale,
        header=Rect(0, 0, width_px, header),
        map=Rect(0, header, width_px, footer),
        footer=Rect(0, footer, width_px, height_px),
    )
