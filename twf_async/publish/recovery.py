"""The published tree as a restart finds it: manifests read, checked against the files, or rebuilt.

Blocking; run it in a thread. A frame that a manifest names is there, complete, when this is done.
"""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from render_farm.domain.entries import KEY
from render_farm.domain.jobs import Frame
from twf_async.plan.runs import cycle_time
from twf_async.publish.document import RunDocument, values_record
from twf_async.publish.durable import write_atomically
from twf_async.publish.files import read_frame, sizes
from twf_async.publish.manifest import VALUES_SUFFIX, FrameState, RunState
from twf_async.publish.whole import read_whole

log = structlog.get_logger(component="publish")

MANIFEST = "manifest.json"
_FRAME = re.compile(r"f([0-9]{3})\.png")


def read_runs(maps: Path) -> list[RunDocument]:
    """Every run below *maps* whose manifest can be read, as it says; changes nothing."""
    runs = []
    for directory in _run_directories(maps):
        model, cycle = directory.parent.name, directory.name
        with suppress(OSError, ValueError, KeyError, TypeError):
            runs.append(_read_manifest(directory / MANIFEST, model, cycle))
    return runs


def load_runs(maps: Path, now: datetime) -> tuple[list[RunDocument], list[RunDocument]]:
    """Every run below *maps*; what was mended is logged and written back.

    returns  all of them, and those of them that could not be written back yet
    """
    runs, unwritten = [], []
    for directory in _run_directories(maps):
        try:
            document, mended = _load_run(directory, now)
        except OSError as error:  # of a disk that fails here and there, the rest is still good
            _not_read(directory, error)
            continue
        if document is None:
            continue
        runs.append(document)
        if mended:
            try:
                write_atomically(directory / MANIFEST, document.to_json())
            except OSError as error:  # full: room is made once everything runs
                log.warning("publish.write_failed", reason=str(error))
                unwritten.append(document)
    return runs, unwritten


def clear_staging(staging: Path) -> int:
    """Remove what a dead process left half done; returns how many entries there were."""
    entries = _entries(staging) if staging.is_dir() else []
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            with suppress(OSError):
                entry.unlink()
    return len(entries)


def _run_directories(maps: Path) -> Iterator[Path]:
    for model in _entries(maps) if maps.is_dir() else ():
        if KEY.fullmatch(model.name) and model.is_dir():
            for cycle in _entries(model):
                if _is_cycle(cycle.name) and cycle.is_dir():
                    yield cycle


def _is_cycle(name: str) -> bool:
    """Whether a directory is called as runs are; others may lie beside them."""
    try:
        return bool(cycle_time(name))
    except ValueError:  # ten digits, and no time
        return False


def _entries(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError as error:
        _not_read(directory, error)
        return []


def _not_read(directory: Path, error: OSError) -> None:
    log.warning("publish.directory_not_read", path=str(directory), reason=str(error))


def _load_run(directory: Path, now: datetime) -> tuple[RunDocument | None, bool]:
    """The run and whether it differs from what is written; None where nothing is worth keeping."""
    model, cycle = directory.parent.name, directory.name
    path = directory / MANIFEST
    try:
        document = _read_manifest(path, model, cycle)
    except FileNotFoundError:
        fault = "missing"
    except (ValueError, KeyError, TypeError, OSError) as error:
        fault = _fault(error)
        with suppress(OSError):
            path.replace(path.with_name(f"{MANIFEST}.corrupt-{now:%Y%m%dT%H%M%S}"))
    else:
        return document, _mend(directory, document)
    rebuilt = _rebuild(directory, now)
    frames = len(rebuilt.published())
    log.warning("publish.manifest_rebuilt", model=model, cycle=cycle, reason=fault, frames=frames)
    if frames == 0:
        return None, False
    return rebuilt, True


def _read_manifest(path: Path, model: str, cycle: str) -> RunDocument:
    return RunDocument.from_json(read_whole(path), model=model, cycle=cycle)


def _fault(error: Exception) -> str:
    """What is wrong with a manifest, in one line."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
    return str(error).splitlines()[0]


def _mend(directory: Path, document: RunDocument) -> bool:
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


def _rebuild(directory: Path, now: datetime) -> RunDocument:
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
