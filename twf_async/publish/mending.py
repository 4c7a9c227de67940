"""A manifest brought in line with the files beside it, or made anew from them. Blocking."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from render_farm.domain.entries import KEY
from render_farm.domain.jobs import Frame
from twf_async.publish.document import RunDocument, values_record
from twf_async.publish.files import read_frame, sizes
from twf_async.publish.manifest import VALUES_SUFFIX, FrameState, RunState

log = structlog.get_logger(component="publish")

_FRAME = re.compile(r"f([0-9]{3})\.png")


def mend(directory: Path, document: RunDocument) -> bool:
    """Bring the manifest in line with the files; says whether anything had to be changed.

    A frame whose picture is gone is expected again. One whose value grid alone is gone stays
    online without: taking a good picture down would help nobody. A file that was replaced by
    another whole one (a redraw that a crash kept from the manifest) is taken over. Its size tells,
    and where a redraw was due its content: other colours may leave the size as it was.
    """
    lost: Counter[str] = Counter()
    for region, products in document.frames.items():
        for product, hours in products.items():
            place = directory / region / product
            found = sizes(place)
            for name, record in hours.items():
                if record["state"] != FrameState.PUBLISHED.value:
                    continue
                pair = (found.get(f"{name}.png"), found.get(f"{name}{VALUES_SUFFIX}"))
                if _is_as_said(record, *pair) and not record.get("old_style", False):
                    continue
                frame = read_frame(place / f"{name}.png", region, product)
                if frame is not None and _is_named(record, frame):
                    continue
                lost[_what_is_lost(record, frame)] += 1
                if frame is None:
                    hours[name] = {"state": FrameState.EXPECTED.value}
                else:
                    document.publish(frame, int(name[1:]), document.updated_at)
    facts = {"model": document.model, "cycle": document.cycle}
    if lost["frame"]:
        document.state = RunState.RUNNING
        log.warning("publish.frames_lost", **facts, frames=lost["frame"])
    if lost["values"]:
        log.warning("publish.values_lost", **facts, frames=lost["values"])
    return lost.total() > 0


def _is_as_said(record: dict[str, Any], picture: int | None, values: int | None) -> bool:
    """Whether the files of a frame have the sizes that its record says."""
    said = record.get("values")
    return picture == record.get("bytes") and (said is None or values == said["bytes"])


def _is_named(record: dict[str, Any], frame: Frame) -> bool:
    """Whether the content of a frame's files is what its record says."""
    said = record.get("values")
    values = None if frame.values is None else values_record(frame.values)
    return frame.sha256.startswith(record["hash"]) and said in (None, values)


def _what_is_lost(record: dict[str, Any], frame: Frame | None) -> str:
    if frame is None:
        return "frame"
    return "values" if "values" in record and frame.values is None else "nothing"


def rebuild(directory: Path, now: datetime) -> RunDocument:
    """A manifest of the frames that lie in a run's directory: only whole ones ever get there."""
    document = RunDocument(directory.parent.name, directory.name, now, now)
    for path in sorted(directory.glob("*/*/f*.png")):
        match = _FRAME.fullmatch(path.name)
        region, product = path.parts[-3:-1]
        if match is None or not (KEY.fullmatch(region) and KEY.fullmatch(product)):
            continue  # whatever it is, no frame of ours lies there
        if (frame := read_frame(path, region, product)) is None:
            continue
        hour = int(match[1])
        document.extend((hour,), (region,), (product,))
        document.publish(frame, hour, datetime.fromtimestamp(path.stat().st_mtime, UTC))
    return document
