"""Runs that somebody wants kept: a marker in the run's own directory, `pin.json`.

In the directory, because that is what must not be deleted: it survives a manifest that is made
anew and a ledger that is lost, and moves with the tree. Blocking; run it in a thread.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from twf_async.errors import BadInput
from twf_async.publish.durable import flush_directories, make_directory, write_atomically
from twf_async.publish.whole import read_whole

FILE = "pin.json"
LONGEST_REASON = 200


class BadPin(BadInput):
    """A pin that cannot be set or taken away."""


@dataclass(frozen=True, slots=True)
class Pin:
    """Why a run is kept, and since when; None where the marker does not say."""

    reason: str = ""
    pinned_at: datetime | None = None


def read_pin(directory: Path) -> Pin | None:
    """The pin of a run's directory; a marker that cannot be read still keeps its run."""
    try:
        content = read_whole(directory / FILE)
    except FileNotFoundError:
        return None
    except OSError:
        return Pin()
    try:
        document = orjson.loads(content)
        return Pin(str(document["reason"]), datetime.fromisoformat(document["pinned_at"]))
    except (ValueError, KeyError, TypeError):
        return Pin()


def write_pin(directory: Path, pin: Pin) -> None:
    """Set the marker, in a run's directory that may be about to be made; survives a power cut."""
    flush_directories(make_directory(directory))
    document = {"reason": pin.reason, "pinned_at": pin.pinned_at}
    write_atomically(directory / FILE, orjson.dumps(document))


def remove_pin(directory: Path) -> None:
    """Take the marker away, if there is one."""
    (directory / FILE).unlink(missing_ok=True)


def checked_reason(reason: str) -> str:
    """The reason in one line; BadPin when there is none or it is too long."""
    line = re.sub(r"\s+", " ", reason).strip()
    if not line:
        raise BadPin("say why the run is to be kept: whoever cleans up later wants to know")
    if len(line) > LONGEST_REASON:
        raise BadPin(f"the reason has {len(line)} characters; keep it below {LONGEST_REASON}")
    return line
