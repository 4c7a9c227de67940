"""Two texts on one line, left and right, that never touch: shorter forms, smaller type, dots.

Decisions depend on the widest form of the right text, not on the hour's own, so all frames of a
run come out alike. Measures text, draws nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from render_farm.draw.glyphs import Weight
from render_farm.draw.text import text_width

ELLIPSIS = "…"
SHRINK = (1.0, 0.92, 0.85)
SMALLEST_PX = 8.0


@dataclass(frozen=True, slots=True)
class Line:
    """What to write at the left and the right end, and how large (em in px)."""

    left: str
    right: str
    size_px: float


def shortened(text: str, room_px: float, size_px: float, weight: Weight = "regular") -> str:
    """*text* itself if it fits into *room_px*, else its beginning and an ellipsis, else ""."""
    if text_width(text, size_px, weight) <= room_px:
        return text
    low, high = 0, len(text)  # the longest beginning that fits, by bisection
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(text[:middle].rstrip(" ·,(") + ELLIPSIS, size_px, weight) <= room_px:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip(" ·,(") + ELLIPSIS if low else ""


def fitted(
    lefts: Sequence[str],
    rights: Sequence[str],
    widest: Sequence[str],
    *,
    room_px: float,
    size_px: float,
    left_weight: Weight = "regular",
    right_weight: Weight = "regular",
) -> Line:
    """The longest forms of both texts that stand on one line of *room_px* with a gap.

    lefts, rights  forms, longest first, not empty
    widest         per form of *rights* the text that reserves its room
    Both keep one size. First the type shrinks a little, then shorter forms are taken (of the
    right text before the left), last the left text ends in dots and, where even that does not
    help, the right one too.
    """
    last_left, last_right = len(lefts) - 1, len(rights) - 1
    steps = [(0, 0)]
    for i, j in zip_longest(range(1, last_left + 1), range(1, last_right + 1)):
        if j is not None:
            steps.append((steps[-1][0], j))
        if i is not None:
            steps.append((i, steps[-1][1]))
    sizes = [max(SMALLEST_PX, size_px * factor) for factor in SHRINK]
    for i, j in steps:
        for size in sizes:
            left = text_width(lefts[i], size, left_weight)
            right = text_width(widest[j], size, right_weight)
            if left + right + size <= room_px:
                return Line(lefts[i], rights[j], size)
    size = sizes[-1]
    right_text = shortened(rights[-1], room_px, size, right_weight)
    whole = right_text == rights[-1]
    taken = text_width(widest[-1], size, right_weight) if whole else room_px
    left_text = shortened(lefts[-1], room_px - taken - size, size, left_weight)
    return Line(left_text, right_text, size)
