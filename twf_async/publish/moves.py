"""The steps of publishing and deleting on disk, in the order that survives a crash. Blocking."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from render_farm.domain.jobs import Frame, FrameFailure, HourRendered, Reason
from twf_async.publish.durable import flush_directories, make_directory, write_atomically
from twf_async.publish.manifest import VALUES_SUFFIX

FramePath = Callable[[str, str, str, str, int], Path]  # model, cycle, region, product, hour


def move_frames(
    frame_path: FramePath, rendered: HourRendered
) -> tuple[tuple[Frame, ...], tuple[FrameFailure, ...]]:
    """Rename an hour's staged frames into their places, value grids first; durable on return.

    The worker has flushed the files themselves. A frame of which a staged file is gone becomes a
    failure: a picture never comes online without the values that belong to it.
    """
    moved: list[Frame] = []
    lost: list[FrameFailure] = []
    touched: set[Path] = set()
    for frame in rendered.frames:
        target = frame_path(
            rendered.model, rendered.cycle, frame.region, frame.product, rendered.hour
        )
        files = [(frame.path, target)]
        if frame.values is not None:
            files.insert(0, (frame.values.path, target.with_suffix(VALUES_SUFFIX)))
        if not all(Path(staged).is_file() for staged, _ in files):
            detail = "the staged file is gone"
            lost.append(FrameFailure(frame.region, frame.product, Reason.RENDER_ERROR, detail))
            continue
        touched |= make_directory(target.parent) | {target.parent}
        for staged, place in files:
            os.replace(staged, place)  # noqa: PTH105  # both are paths of one file system
        moved.append(frame)
    flush_directories(touched)
    return tuple(moved), tuple(lost)


def replace_manifest(path: Path, text: bytes) -> None:
    """Write a run's manifest, and its directory if need be."""
    flush_directories(make_directory(path.parent))
    write_atomically(path, text)


def bury(directory: Path, grave: Path) -> None:
    """Take a run's directory offline by one rename, then remove it file by file."""
    if directory.is_dir():
        directory.rename(grave)
        flush_directories((directory.parent, grave.parent))
        shutil.rmtree(grave, ignore_errors=True)
