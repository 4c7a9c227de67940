"""One JSON object a line on stderr, from the service and from every worker alike.

Each line is one write(2) of at most 4 KiB, so lines of several processes never tear, not even on
a pipe, and the last words before a crash are not lost in a queue. Logging must never stop the work:
a write that fails (the reader is gone) is swallowed, and while nobody reads (journald is stopped, a
terminal is held by Ctrl-S) lines are left out and counted (`log.lines_lost`).

Ground floor of render_farm, so that workers and service share it; knows nothing of either.
"""

import logging
import os
import select
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

MAX_LINE_BYTES = 4096
PATIENCE_S = 0.25  # for a reader that is slow; once in vain no line waits before it reads again
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_threshold = LEVELS["info"]


def set_level(level: str) -> None:
    """Let through *level* and above from now on, for loggers already made too."""
    global _threshold  # noqa: PLW0603 - the one switch that a reload turns for a whole process
    _threshold = LEVELS[level]


def configure(level: str = "info", *, console: bool = False, stream_fd: int = 2) -> None:
    """Make structlog and the standard library's logging write to *stream_fd*.

    console  for people: text instead of JSON, coloured on a terminal
    """
    set_level(level)
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=_colours_wanted(stream_fd))
        if console
        else structlog.processors.JSONRenderer(serializer=_encoded)
    )
    structlog.configure(
        processors=[
            _drop_below_threshold,
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%S.%fZ", utc=True, key="ts"),
            structlog.processors.format_exc_info,
            _in_reading_order,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        logger_factory=lambda *_: _LineLogger(stream_fd),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [_ToStructlog()]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


class _LineLogger:
    """Writes what the renderer made, whole, at once; of what nobody takes it keeps a count."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def msg(self, line: str | bytes) -> None:
        data = line.encode("utf-8", "replace") if isinstance(line, str) else line
        lost = _lost.get(self._fd, 0)
        if not _takes(self._fd, 0.0 if lost else PATIENCE_S):
            _lost[self._fd] = lost + 1
            return
        try:
            os.write(self._fd, data + b"\n")
        except OSError:
            return
        if lost and _lost.pop(self._fd, 0):  # or another thread has told
            structlog.get_logger(component="log").warning("log.lines_lost", lines=lost)

    debug = info = warning = error = critical = exception = fatal = msg


_lost: dict[int, int] = {}  # stream -> lines since it took none


def _takes(fd: int, patience_s: float) -> bool:
    """Whether a line can be written without waiting longer; also where writing fails at once."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(1000 * patience_s))


class _ToStructlog(logging.Handler):
    """Hands records of libraries to structlog, under the event `library.logged`."""

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname.lower()
        log = structlog.get_logger(component="library", library=record.name)
        emit = getattr(log, level if level in LEVELS else "info")
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        emit("library.logged", text=text, exc_info=record.exc_info or None)


def _drop_below_threshold(_: WrappedLogger, method: str, event: EventDict) -> EventDict:
    if LEVELS.get(method, 40) < _threshold:
        raise structlog.DropEvent
    return event


def _in_reading_order(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """ts, level, event first; milliseconds are enough."""
    ts = str(event.pop("ts"))
    head = {"ts": f"{ts[:23]}Z", "level": event.pop("level"), "event": event.pop("event")}
    return {**head, **event}


def _encoded(event: MutableMapping[str, Any], **_: object) -> bytes:
    """JSON of at most one line's bytes: long texts are cut first, then facts are left out."""
    line = _dump(event)
    if len(line) < MAX_LINE_BYTES:
        return line
    short = {
        key: f"{value[:400]} ...[cut]" if isinstance(value, str) and len(value) > 400 else value
        for key, value in event.items()
    }
    if "exception" in event:  # the end of a traceback says what happened
        short["exception"] = f"[cut]... {str(event['exception'])[-1200:]}"
    line = _dump(short)
    if len(line) < MAX_LINE_BYTES:
        return line
    kept = {key: event[key] for key in ("ts", "level", "event", "component") if key in event}
    return _dump({key: str(value)[:200] for key, value in kept.items()} | {"cut": True})


def _dump(event: MutableMapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError):
        return orjson.dumps({key: repr(value) for key, value in event.items()})


def _colours_wanted(fd: int) -> bool:
    """On a terminal whose user has not said otherwise (no-color.org)."""
    return os.isatty(fd) and not os.environ.get("NO_COLOR")


def console_wanted(format_setting: str) -> bool:
    """Whether "auto" means people: stderr is a terminal."""
    return format_setting == "console" or (format_setting == "auto" and sys.stderr.isatty())
