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


def _read(path: Path) -> Iterator[LastKnown]:
    address = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=1.0)) as database:
        for model, cycle, state, hours, at in database.execute(_NEWEST):
            moment = None if at is None else datetime.fromtimestamp(at, UTC)
            yield LastKnown(model, cycle, state, hours, moment)
