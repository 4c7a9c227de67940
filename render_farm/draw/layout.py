"""Where things lie on a frame, in pixels. The same for every hour, so loops do not jump."""

from dataclasses import dataclass

from render_farm.domain.sheet import furniture_px, scale_of


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
    """Divide a frame of this size into header, map and footer, top to bottom, full width."""
    header, footer_height = furniture_px(width_px, height_px)
    footer = height_px - footer_height
    return Layout(
        width=width_px,
        height=height_px,
        scale=scale_of(width_px, height_px),
        header=Rect(0, 0, width_px, header),
        map=Rect(0, header, width_px, footer),
        footer=Rect(0, footer, width_px, height_px),
    )
