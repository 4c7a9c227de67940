"""What happened, on disk: runs, hours and frames with state, reason, attempts and timings.

The published tree is the truth about what is online; the ledger remembers how it came there. It is
never a reason to stop: a corrupt file is set aside, a write that fails is logged and lost.
"""

import asyncio
import sqlite3
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiosqlite
import structlog

from twf_async.clock import Clock
from twf_async.errors import TwfError
from twf_async.ledger.entries import FrameEntry, HourEntry, RunEntry
from twf_async.ledger.schema import MIGRATIONS

Value = str | int | float | None
Statement = tuple[str, tuple[Value, ...]]
RUN_COLUMNS = tuple(column.name for column in fields(RunEntry))
HOUR_COLUMNS = tuple(column.name for column in fields(HourEntry))
FRAME_COLUMNS = tuple(column.name for column in fields(FrameEntry))
_HOUR_ALWAYS = {"model", "cycle", "hour", "state", "reason", "detail"}
_FRAME_KEY = {"model", "cycle", "hour", "region", "product"}


class LedgerTooNew(TwfError):
    """A newer version of the software has written the ledger."""


class Ledger:
    """One SQLite file in WAL mode, one connection, one writer at a time."""

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        self.path = path
        self.set_aside: Path | None = None  # where a corrupt predecessor went at start
        self._clock = clock or Clock()
        self._database: aiosqlite.Connection | None = None
        self._lock = asyncio.Lock()
        self._writes: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger(component="ledger")

    async def start(self) -> None:
        """Open, check and migrate; a corrupt file is set aside and a new one begun."""
        await asyncio.to_thread(self.path.parent.mkdir, parents=True, exist_ok=True)
        try:
            self._database = await self._open()
        except sqlite3.DatabaseError as error:
            aside = self.path.with_name(
                f"{self.path.name}.corrupt-{self._clock.now():%Y%m%dT%H%M%S}"
            )
            await asyncio.to_thread(_move_aside, self.path, aside)
            self.set_aside = aside
            self._log.warning("ledger.set_aside", reason=str(error), path=str(aside))
            self._database = await self._open()
        self._log.info("ledger.started", path=str(self.path))

    async def stop(self) -> None:
        """Finish what is being written and close the file; calls after this are ignored."""
        if self._writes:
            await asyncio.wait(self._writes)
        async with self._lock:
            database, self._database = self._database, None
            if database is not None:
                await database.close()

    async def run_started(self, model: str, cycle: str) -> None:
        """A run is being followed (again)."""
        sql = (
            "INSERT INTO runs (model, cycle, state, first_seen_at) VALUES (?, ?, 'running', ?)"
            " ON CONFLICT (model, cycle) DO UPDATE SET state = 'running', ended_at = NULL"
        )
        await self._write((sql, (model, cycle, self._clock.now().timestamp())))

    async def run_ended(self, model: str, cycle: str, state: str) -> None:
        """A run came to its end: complete or partial."""
        await self._write(
            (
                "UPDATE runs SET state = ?, ended_at = ? WHERE model = ? AND cycle = ?",
                (state, self._clock.now().timestamp(), model, cycle),
            )
        )

    async def record_hours(self, entries: Iterable[HourEntry]) -> None:
        """Note hours; what an entry leaves open stays as it was."""
        await self._write(*(_upsert_hour(entry) for entry in entries))

    async def record_frames(self, entries: Iterable[FrameEntry]) -> None:
        """Note frames; each time one is noted counts as an attempt."""
        await self._write(*(_upsert_frame(entry) for entry in entries))

    async def forget_run(self, model: str, cycle: str) -> None:
        """Remove a run and everything below it."""
        name = (model, cycle)
        await self._write(
            ("DELETE FROM frames WHERE model = ? AND cycle = ?", name),
            ("DELETE FROM hours WHERE model = ? AND cycle = ?", name),
            ("DELETE FROM runs WHERE model = ? AND cycle = ?", name),
        )

    async def runs(self, model: str | None = None) -> tuple[RunEntry, ...]:
        """Runs, newest first; of one model or of all."""
        rows = await self._read(
            f"SELECT {', '.join(RUN_COLUMNS)} FROM runs"  # noqa: S608  # our own column names
            " WHERE ?1 IS NULL OR model = ?1 ORDER BY cycle DESC, model",
            (model,),
        )
        return tuple(RunEntry(*_typed(RUN_COLUMNS, row)) for row in rows)

    async def hours(self, model: str, cycle: str) -> tuple[HourEntry, ...]:
        """The hours of a run, rising."""
        rows = await self._read(
            f"SELECT {', '.join(HOUR_COLUMNS)} FROM hours"  # noqa: S608  # as above
            " WHERE model = ? AND cycle = ? ORDER BY hour",
            (model, cycle),
        )
        return tuple(HourEntry(*_typed(HOUR_COLUMNS, row)) for row in rows)

    async def frames(self, model: str, cycle: str) -> tuple[FrameEntry, ...]:
        """The frames of a run, by hour, region and product."""
        rows = await self._read(
            f"SELECT {', '.join(FRAME_COLUMNS)} FROM frames"  # noqa: S608  # as above
            " WHERE model = ? AND cycle = ? ORDER BY hour, region, product",
            (model, cycle),
        )
        return tuple(FrameEntry(*_typed(FRAME_COLUMNS, row)) for row in rows)

    async def _open(self) -> aiosqlite.Connection:
        database = await aiosqlite.connect(self.path, isolation_level=None)
        try:
            await database.execute("PRAGMA journal_mode = WAL")
            await database.execute("PRAGMA synchronous = NORMAL")
            await database.execute("PRAGMA busy_timeout = 5000")
            await _check(database)
            await _migrate(database)
        except BaseException:
            await database.close()
            raise
        return database

    async def _write(self, *statements: Statement) -> None:
        """One transaction, not torn by a cancelled caller; a failure is logged, never raised."""
        if statements:
            task = asyncio.create_task(self._transact(statements), name="ledger-write")
            self._writes.add(task)
            task.add_done_callback(self._writes.discard)
            await asyncio.shield(task)

    async def _transact(self, statements: tuple[Statement, ...]) -> None:
        async with self._lock:
            if self._database is None:
                return
            try:
                await self._database.execute("BEGIN IMMEDIATE")
                for sql, values in statements:
                    await self._database.execute(sql, values)
                await self._database.execute("COMMIT")
            except sqlite3.Error as error:
                self._log.warning("ledger.write_failed", reason=str(error))
                if self._database.in_transaction:
                    await self._database.rollback()

    async def _read(self, sql: str, values: tuple[Value, ...]) -> list[tuple[Any, ...]]:
        async with self._lock:
            if self._database is None:
                return []
            async with self._database.execute(sql, values) as cursor:
                return [tuple(row) for row in await cursor.fetchall()]


async def _check(database: aiosqlite.Connection) -> None:
    async with database.execute("PRAGMA quick_check") as cursor:
        row = await cursor.fetchone()
    if row is None or row[0] != "ok":
        raise sqlite3.DatabaseError(f"quick_check says {row[0] if row else 'nothing'}")


async def _migrate(database: aiosqlite.Connection) -> None:
    async with database.execute("PRAGMA user_version") as cursor:
        row = await cursor.fetchone()
    version = int(row[0]) if row else 0
    if version > len(MIGRATIONS):
        raise LedgerTooNew(
            f"the ledger has version {version}, this software knows {len(MIGRATIONS)};"
            " install the newer software again or move the ledger away"
        )
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        # executescript commits what is open, so the step brings its own transaction.
        await database.executescript(f"BEGIN;{script};PRAGMA user_version = {number};COMMIT;")


def _move_aside(path: Path, aside: Path) -> None:
    path.replace(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _upsert_hour(entry: HourEntry) -> Statement:
    given = {
        name: value
        for name, value in _row(entry).items()
        if value is not None or name in _HOUR_ALWAYS
    }
    names = ", ".join(given)
    marks = ", ".join("?" for _ in given)
    sets = ", ".join(f"{name} = excluded.{name}" for name in given)
    key = "model, cycle, hour"
    sql = f"INSERT INTO hours ({names}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {sets}"  # noqa: S608
    return sql, tuple(given.values())


def _upsert_frame(entry: FrameEntry) -> Statement:
    row = {**_row(entry), "attempts": 1}
    names = ", ".join(row)
    marks = ", ".join("?" for _ in row)
    sets = ", ".join(
        "attempts = frames.attempts + 1" if name == "attempts" else f"{name} = excluded.{name}"
        for name in row
        if name not in _FRAME_KEY
    )
    key = ", ".join(_FRAME_KEY)
    sql = f"INSERT INTO frames ({names}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {sets}"  # noqa: S608
    return sql, tuple(row.values())


def _row(entry: HourEntry | FrameEntry) -> dict[str, Value]:
    """Column -> value as SQLite keeps it."""
    row: dict[str, Value] = {}
    for column in fields(entry):
        value = getattr(entry, column.name)
        row[column.name] = value.timestamp() if isinstance(value, datetime) else value
    return row


def _typed(columns: Iterable[str], row: Iterable[Any]) -> list[Any]:
    return [
        datetime.fromtimestamp(value, UTC) if name.endswith("_at") and value is not None else value
        for name, value in zip(columns, row, strict=True)
    ]
