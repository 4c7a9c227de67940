"""Names the frames that a run lacks: each, or where there are hundreds what they have in common."""

from collections.abc import Iterator, Sequence

from twf_async.pipeline.report import MissingFrame
from twf_async.publish.manifest import hour_name

LISTED = 60  # frames that are named each, a screen or two; a whole run may miss thousands


def told(missing: Sequence[MissingFrame]) -> Iterator[str]:
    """A line for each frame; beyond LISTED one for each region and reason, with its first frame."""
    if len(missing) <= LISTED:
        yield from (f"missing {frame}" for frame in missing)
        return
    alike: dict[tuple[str, str], list[MissingFrame]] = {}
    for frame in missing:
        alike.setdefault((frame.region, frame.reason), []).append(frame)
    for (region, _), frames in alike.items():
        first = min(frames, key=lambda frame: frame.hour)
        products = len({frame.product for frame in frames})
        of = f"{products} products" if products > 1 else first.product
        hours = _span({frame.hour for frame in frames})
        many = f"{len(frames)} of {region} ({of} at {hours}), the first "
        yield f"missing {many if len(frames) > 1 else ''}{first}"
    yield f"{len(missing)} frames are missing; --json names each"


def _span(hours: set[int]) -> str:
    """Forecast hours, by their number and their bounds."""
    first, last = hour_name(min(hours)), hour_name(max(hours))
    return first if first == last else f"{len(hours)} hours, {first} to {last}"
