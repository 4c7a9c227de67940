"""The published tree as a restart finds it: manifests read, mended or rebuilt.

Blocking; run it in a thread. A frame that a manifest names is there, complete, when this is done.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import structlog
from pydantic import ValidationError

from render_farm.domain.entries import KEY
from twf_async.plan.runs import cycle_time
from twf_async.publish.document import RunDocument
from twf_async.publish.durable import write_atomically
from twf_async.publish.mending import mend, rebuild
from twf_async.publish.whole import read_whole

log = structlog.get_logger(component="publish")

MANIFEST = "manifest.json"


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
        return document, mend(directory, document)
    rebuilt = rebuild(directory, now)
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
