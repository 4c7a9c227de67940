"""What can still be read of a damaged ledger, and nothing else knows. Blocking, read-only.

What is online the published tree tells, when hours came the cache; what somebody has asked for
stands in the ledger alone.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from twf_async.ledger.entries import AskedEntry
from twf_async.ledger.glimpse import read_only
from twf_async.ledger.rows import ASKED_COLUMNS, typed_asked

_CYCLE = re.compile(r"\d{10}")


def asked_in(path: Path) -> tuple[AskedEntry, ...]:
    """What was asked for, row by row as far as the file can be read; rows that make no sense go."""
    entries: list[AskedEntry] = []
    with suppress(sqlite3.Error), closing(read_only(path)) as database:
        entries.extend(_rows(database))
    return tuple(entries)


def _rows(database: sqlite3.Connection) -> Iterator[AskedEntry]:
    # Not sorted: that would read all of it before it told anything.
    sql = f"SELECT {', '.join(ASKED_COLUMNS)} FROM asked"  # noqa: S608  # our own names
    for row in database.execute(sql):
        with suppress(ValueError, TypeError, OverflowError):
            entry = AskedEntry(*typed_asked(row))
            makes_sense = isinstance(entry.model, str) and entry.asked_at is not None
            if makes_sense and _CYCLE.fullmatch(entry.cycle):
                yield entry
