"""The published tree as a restart finds it: manifests read, checked against the files, or rebuilt.

Blocking; run it in a thread. A frame that a manifest names is there, complete, when this is done.
"""

import hashlib
import os
import re
import shutil
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from render_farm.domain.jobs import Frame
from render_farm.domain.places import KEY
from twf_async.publish.document import RunDocument
from twf_async.publish.durable import write_atomically
from twf_async.publish.manifest import FrameState, RunState

log = structlog.get_logger(component="publish")

CYCLE = re.compile(r"\d{10}")
_FRAME = re.compile(r"f(\d{3})\.png")
_PNG_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_PNG_END = b"IEND\xaeB`\x82"
_IHDR_END = 24  # signature, chunk head, width, height


def load_runs(maps: Path, now: datetime) -> list[RunDocument]:
    """Every run below *maps*; what was mended is logged and written back."""
    runs = []
    for directory in _run_directories(maps):
        document, mended = _load_run(directory, now)
        if document is None:
            continue
        if mended:
            write_atomically(directory / "manifest.json", document.to_json())
        runs.append(document)
    return runs


def clear_staging(staging: Path) -> int:
    """Remove what a dead process left half done; returns how many entries there were."""
    if not staging.is_dir():
        return 0
    entries = list(staging.iterdir())
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    return len(entries)


def _run_directories(maps: Path) -> Iterator[Path]:
    for model in sorted(maps.iterdir()) if maps.is_dir() else ():
        if KEY.fullmatch(model.name) and model.is_dir():
            for cycle in sorted(model.iterdir()):
                if CYCLE.fullmatch(cycle.name) and cycle.is_dir():
                    yield cycle


def _load_run(directory: Path, now: datetime) -> tuple[RunDocument | None, bool]:
    """The run and whether it differs from what is written; None where nothing is worth keeping."""
    model, cycle = directory.parent.name, directory.name
    path = directory / "manifest.json"
    try:
        document = RunDocument.from_json(path.read_bytes(), model=model, cycle=cycle)
    except FileNotFoundError:
        fault = "missing"
    except (ValueError, KeyError, TypeError) as error:
        fault = str(error).splitlines()[0]
        path.replace(path.with_name(f"manifest.json.corrupt-{now:%Y%m%dT%H%M%S}"))
    else:
        lost = _drop_lost_frames(directory, document)
        if lost:
            log.warning("publish.frames_lost", model=model, cycle=cycle, frames=lost)
        return document, lost > 0
    rebuilt = _rebuild(directory, now)
    frames = len(rebuilt.published())
    log.warning("publish.manifest_rebuilt", model=model, cycle=cycle, reason=fault, frames=frames)
    if frames == 0:
        return None, False
    return rebuilt, True


def _drop_lost_frames(directory: Path, document: RunDocument) -> int:
    """Set frames back to expected whose file is gone; take over files that were replaced whole."""
    lost = 0
    for region, products in document.frames.items():
        for product, hours in products.items():
            sizes = _sizes(directory / region / product)
            for name, record in hours.items():
                if record["state"] != FrameState.PUBLISHED.value:
                    continue
                size = sizes.get(f"{name}.png")
                if size == record.get("bytes"):
                    continue
                lost += 1
                frame = (
                    _read_frame(directory / region / product / f"{name}.png", region, product)
                    if size
                    else None
                )
                if frame is None:
                    hours[name] = {"state": FrameState.EXPECTED.value}
                else:
                    document.publish(frame, int(name[1:]), document.updated_at)
    if lost:
        document.state = RunState.RUNNING
    return lost


def _rebuild(directory: Path, now: datetime) -> RunDocument:
    """A manifest of the frames that lie in a run's directory: only whole ones ever get there."""
    document = RunDocument(directory.parent.name, directory.name, now, now)
    for path in sorted(directory.glob("*/*/f*.png")):
        match = _FRAME.fullmatch(path.name)
        region, product = path.parts[-3:-1]
        frame = _read_frame(path, region, product) if match else None
        if match is None or frame is None:
            continue
        hour = int(match[1])
        document.extend((hour,), (region,), (product,))
        document.publish(frame, hour, datetime.fromtimestamp(path.stat().st_mtime, UTC))
    return document


def _sizes(directory: Path) -> dict[str, int]:
    try:
        with os.scandir(directory) as entries:
            return {entry.name: entry.stat().st_size for entry in entries}
    except FileNotFoundError:
        return {}


def _read_frame(path: Path, region: str, product: str) -> Frame | None:
    """The facts of a whole PNG file; None where it is cut or something else."""
    content = path.read_bytes()
    if not content.startswith(_PNG_START) or not content.endswith(_PNG_END):
        return None
    width: Any
    width, height = struct.unpack(">II", content[_IHDR_END - 8 : _IHDR_END])
    digest = hashlib.sha256(content).hexdigest()
    return Frame(region, product, str(path), len(content), digest, width, height, 0.0)
