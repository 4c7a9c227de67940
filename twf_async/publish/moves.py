"""The steps of publishing and deleting on disk, in the order that survives a crash. Blocking."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from render_farm.domain.jobs import Frame, FrameFailure, HourRendered, Reason
from twf_async.publish.durable import flush_directories, make_directory, write_atomically

FramePath = Callable[[str, str, str, str, int], Path]  # model, cycle, region, product, hour


def move_frames(
    frame_path: FramePath, rendered: HourRendered
) -> tuple[tuple[Frame, ...], tuple[FrameFailure, ...]]:
    """Rename an hour's staged frames into their places; durable on return.

    The worker has flushed the files themselves. A staged file that is gone becomes a failure.
    """
    moved: list[Frame] = []
    lost: list[FrameFailure] = []
    touched: set[Path] = set()
    for frame in rendered.frames:
        target = frame_path(
            rendered.model, rendered.cycle, frame.region, frame.product, rendered.hour
        )
        touched |= make_directory(target.parent)
        try:
            os.replace(frame.path, target)  # noqa: PTH105  # both are paths of one file system
        except FileNotFoundError:
            detail = "the staged file is gone"
            lost.append(FrameFailure(frame.region, frame.product, Reason.RENDER_ERROR, detail))
        else:
            touched.add(target.parent)
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
