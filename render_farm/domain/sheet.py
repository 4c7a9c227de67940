"""How much of a picture is map: the heights of its header and footer. Numbers only.

Drawing lays frames out by them, and a region that leaves its size out gets one that fits them.
"""

HEADER_PX = 80  # two lines of title at the reference size
FOOTER_PX = 108  # legend with names and ticks, and the line of facts below it
REFERENCE_WIDTH_PX = 1600
REFERENCE_HEIGHT_PX = 1200
# Text must stay readable on small frames and need not grow as fast as large ones: half the
# width gives 0.62 of the size, not 0.5.
GROWTH = 0.7
SMALLEST_SCALE = 0.5


def scale_of(width_px: int, height_px: int) -> float:
    """The size of text and lines on a frame: 1 at the reference size.

    It follows the smaller side, damped, and never falls below `SMALLEST_SCALE`: a frame of
    200x200 px, the smallest that a region may ask for, still has half its height as map.
    """
    share = min(width_px / REFERENCE_WIDTH_PX, height_px / REFERENCE_HEIGHT_PX)
    damped: float = share**GROWTH
    return max(SMALLEST_SCALE, damped)


def furniture_px(width_px: int, height_px: int) -> tuple[int, int]:
    """Heights of header and footer of a frame; the map is all between them."""
    scale = scale_of(width_px, height_px)
    return round(HEADER_PX * scale), round(FOOTER_PX * scale)
