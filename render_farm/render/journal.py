"""What of a job is finished, line by line in its staging directory, so that an attempt after a
crash goes on where the one before it ended.

A line is appended by one write once the frame's files are complete, so the death of the process
tears at most the last one. Nothing is flushed to the disk: the journal outlives the process, and
after a crash of the machine staging directories are cleared anyway. A journal that cannot be
written costs time, never a frame.
"""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
import structlog

from render_farm.domain.jobs import Frame, ProductTask, ValueGridFile

_NAME = "journal"
_log = structlog.get_logger(component="render")


@dataclass(frozen=True, slots=True)
class Kept:
    """What earlier attempts left behind.

    frames   (region, product) -> its frame, the files of which are whole
    suspect  the product that was being made when the last attempt ended; "" if there was none
    """

    frames: dict[tuple[str, str], Frame] = field(default_factory=dict)
    suspect: str = ""

    def left(self, tasks: Iterable[ProductTask]) -> tuple[ProductTask, ...]:
        """The tasks with the regions that lack a frame; what may have been fatal comes last.

        So a product that kills every worker costs its own frames, not those after it.
        """
        remaining = [
            replace(task, regions=regions)
            for task in tasks
            if (
                regions := tuple(
                    r for r in task.regions if (r, task.product.key) not in self.frames
                )
            )
        ]
        return tuple(sorted(remaining, key=lambda task: task.product.key == self.suspect))


class Journal:
    """Notes what is started and finished; use it as a context."""

    def __init__(self, directory: str, *, go_on: bool) -> None:
        """*go_on*: after an earlier attempt's lines; else those are dropped."""
        self._descriptor: int | None = None
        self._path = Path(directory) / _NAME
        self._mode = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (0 if go_on else os.O_TRUNC)

    def __enter__(self) -> Self:
        try:
            self._descriptor = os.open(self._path, self._mode, 0o644)
        except OSError as error:
            self._give_up(error)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def started(self, product: str) -> None:
        """A product is about to be derived and drawn."""
        self._append({"started": product})

    def finished(self, frame: Frame) -> None:
        """The files of a frame are complete."""
        self._append({"finished": frame})

    def _append(self, line: dict[str, Any]) -> None:
        if self._descriptor is None:
            return
        try:
            os.write(self._descriptor, b"\n" + orjson.dumps(line))  # a torn line ends before it
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        _log.warning("render.journal_not_written", reason=str(error))
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def kept(directory: str) -> Kept:
    """What a staging directory's journal names and its files bear out; nothing without one."""
    frames: dict[tuple[str, str], Frame] = {}
    suspect = ""
    for line in _lines(Path(directory) / _NAME):
        if "started" in line:
            suspect = line["started"]
        elif (frame := _frame(line)) is not None:
            frames[frame.region, frame.product] = frame
    return Kept(frames, suspect)


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    with suppress(OSError):
        for line in path.read_bytes().splitlines():
            with suppress(orjson.JSONDecodeError):
                yield orjson.loads(line)


def _frame(line: dict[str, Any]) -> Frame | None:
    """The frame of a line, if both of its files are what the line says."""
    record = line["finished"]
    values = record.pop("values")
    frame = Frame(**record, values=None if values is None else ValueGridFile(**values))
    whole = _is_whole(frame) and (frame.values is None or _is_whole(frame.values))
    return frame if whole else None


def _is_whole(file: Frame | ValueGridFile) -> bool:
    try:
        data = Path(file.path).read_bytes()
    except OSError:
        return False
    return len(data) == file.bytes and hashlib.sha256(data).hexdigest() == file.sha256
