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
    failure: a picture never comes online without the values that belong to it. All that may want
    for room comes first, so that a full disk leaves every frame online as the manifest has it.
    """
    ready: list[tuple[Frame, list[tuple[str, Path]]]] = []
    lost: list[FrameFailure] = []
    touched: set[Path] = set()
    for frame in rendered.frames:
        files = _files(frame_path, rendered, frame)
        if not all(Path(staged).is_file() for staged, _ in files):
            detail = "the staged file is gone"
            lost.append(FrameFailure(frame.region, frame.product, Reason.RENDER_ERROR, detail))
            continue
        place = files[0][1].parent
        touched |= make_directory(place) | {place}
        ready.append((frame, files))
    for _, files in ready:
        for staged, place in files:
            os.replace(staged, place)  # noqa: PTH105  # both are paths of one file system
    flush_directories(touched)
    return tuple(frame for frame, _ in ready), tuple(lost)


def _files(frame_path: FramePath, rendered: HourRendered, frame: Frame) -> list[tuple[str, Path]]:
    """Where the files of a frame lie, and where they belong."""
    target = frame_path(rendered.model, rendered.cycle, frame.region, frame.product, rendered.hour)
    picture = (frame.path, target)
    if frame.values is None:
        return [picture]
    return [(frame.values.path, target.with_suffix(VALUES_SUFFIX)), picture]


def replace_manifest(path: Path, text: bytes) -> None:
    """Write a run's manifest, and its directory if need be."""
    flush_directories(make_directory(path.parent))
    write_atomically(path, text)


def bury(directory: Path, grave: Path) -> None:
    """Take a run's directory offline by one rename, then remove it file by file.

    raises  OSError, with all else removed, for a file that cannot be; the run is offline if the
            grave is there
    """
    if not directory.is_dir():
        return
    grave.parent.mkdir(parents=True, exist_ok=True)
    directory.rename(grave)
    flush_directories((directory.parent, grave.parent))
    if grave.is_symlink():  # a run that was put elsewhere: what it leads to is not ours to delete
        grave.unlink()
        return
    try:
        shutil.rmtree(grave)
    except OSError:
        shutil.rmtree(grave, ignore_errors=True)
        if grave.exists():
            raise
