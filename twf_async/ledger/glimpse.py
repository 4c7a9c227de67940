"""A look at the ledger of a service that does not run: what it last knew. Blocking, read-only."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_NEWEST = """
    SELECT runs.model, runs.cycle, runs.state,
           count(hours.fetched_at), max(hours.fetched_at)
    FROM runs LEFT JOIN hours USING (model, cycle)
    WHERE runs.cycle = (SELECT max(cycle) FROM runs AS others WHERE others.model = runs.model)
    GROUP BY runs.model, runs.cycle
    ORDER BY runs.model
"""


@dataclass(frozen=True, slots=True)
class LastKnown:
    """The newest run of a model: its state, hours that were fetched, when the last of them was."""

    model: str
    cycle: str
    state: str
    hours_fetched: int
    fetched_at: datetime | None


def last_known(path: Path) -> tuple[LastKnown, ...]:
    """The newest run of every model; nothing where there is no ledger that can be read."""
    try:
        return tuple(_read(path))
    except sqlite3.Error:
        return ()


def still_asked(path: Path) -> tuple[tuple[str, str], ...]:
    """(model, cycle) of runs that somebody asked for: the next start goes on with them."""
    try:
        with closing(read_only(path)) as database:
            rows = database.execute("SELECT model, cycle FROM asked ORDER BY asked_at, cycle")
            return tuple((str(model), str(cycle)) for model, cycle in rows)
    except sqlite3.Error:  # of a version before there were any, too
        return ()


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing; sqlite3.Error where there is no such file."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)


def _read(path: Path) -> Iterator[LastKnown]:
    with closing(read_only(path)) as database:
        for model, cycle, state, hours, at in database.execute(_NEWEST):
            moment = None if at is None else datetime.fromtimestamp(at, UTC)
            yield LastKnown(model, cycle, state, hours, moment)
