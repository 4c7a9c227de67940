"""What happened, on disk: runs, hours and frames with state, reason, attempts and timings.

The published tree is the truth about what is online; the ledger remembers how it came there. It is
never a reason to stop: a damaged file is set aside, one that cannot be used is done without (what
happens is then remembered until the end only), a write that fails is logged and lost, and where it
cannot be read nothing is known.
"""

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiosqlite
import structlog

from twf_async.clock import Clock
from twf_async.ledger.entries import (
    ArrivalEntry,
    FrameEntry,
    FreshnessEntry,
    HourEntry,
    RunEntry,
)
from twf_async.ledger.opening import MEMORY, Damaged, open_ledger, set_aside
from twf_async.ledger.rows import (
    ARRIVAL_COLUMNS,
    FRAME_COLUMNS,
    FRESHNESS_COLUMNS,
    HOUR_COLUMNS,
    RUN_COLUMNS,
    Statement,
    Value,
    insert_arrival,
    insert_freshness,
    typed,
    upsert_frame,
    upsert_hour,
)

ARRIVALS_KEPT = timedelta(days=60)
FRESHNESS_KEPT = timedelta(days=14)
_RUNS = "SELECT DISTINCT cycle FROM arrivals WHERE model = ?1 AND cycle < ?2"


class Ledger:
    """One SQLite file in WAL mode, one connection, one writer at a time."""

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        self.path = path
        self.set_aside: Path | None = None  # where a damaged predecessor went at start
        self.begun_anew = False  # whether it knew nothing at start
        self._clock = clock or Clock()
        self._database: aiosqlite.Connection | None = None
        self._lock = asyncio.Lock()
        self._writes: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger(component="ledger")

    async def start(self) -> None:
        """Open, check and migrate; a damaged file is set aside and a new one begun.

        raises  LedgerTooNew
        """
        try:
            await asyncio.to_thread(self.path.parent.mkdir, parents=True, exist_ok=True)
            self.begun_anew = not await asyncio.to_thread(self.path.exists)
            self._database = await self._open()
        except (sqlite3.Error, OSError) as error:
            self.begun_anew = True
            self._database = await open_ledger(MEMORY)
            self._log.error("ledger.not_kept", path=str(self.path), reason=str(error))
            return
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
        await self._write(*(upsert_hour(entry) for entry in entries))

    async def record_frames(self, entries: Iterable[FrameEntry]) -> None:
        """Note frames; each time one is noted counts as an attempt."""
        await self._write(*(upsert_frame(entry) for entry in entries))

    async def record_arrivals(self, entries: Iterable[ArrivalEntry]) -> None:
        """Note when hours came. Outlives the runs themselves, but not for ever."""
        oldest = f"{self._clock.now() - ARRIVALS_KEPT:%Y%m%d%H}"
        old = ("DELETE FROM arrivals WHERE cycle < ?", (oldest,))
        if statements := [insert_arrival(entry) for entry in entries]:
            await self._write(*statements, old)

    async def record_freshness(self, entry: FreshnessEntry) -> None:
        """Note how an hour came online. Outlives its run, but not for ever."""
        oldest = (self._clock.now() - FRESHNESS_KEPT).timestamp()
        old = ("DELETE FROM freshness WHERE published_at < ?", (oldest,))
        await self._write(insert_freshness(entry), old)

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
        return tuple(RunEntry(*typed(RUN_COLUMNS, row)) for row in rows)

    async def hours(self, model: str, cycle: str) -> tuple[HourEntry, ...]:
        """The hours of a run, rising."""
        rows = await self._read(
            f"SELECT {', '.join(HOUR_COLUMNS)} FROM hours"  # noqa: S608  # as above
            " WHERE model = ? AND cycle = ? ORDER BY hour",
            (model, cycle),
        )
        return tuple(HourEntry(*typed(HOUR_COLUMNS, row)) for row in rows)

    async def peaks(self) -> dict[str, float]:
        """Model -> the most memory that an hour of its took to draw, MB, of the runs kept."""
        rows = await self._read(
            "SELECT model, MAX(peak_rss_mb) FROM hours WHERE peak_rss_mb > 0 GROUP BY model", ()
        )
        return {model: float(peak) for model, peak in rows}

    async def frames(self, model: str, cycle: str) -> tuple[FrameEntry, ...]:
        """The frames of a run, by hour, region and product."""
        rows = await self._read(
            f"SELECT {', '.join(FRAME_COLUMNS)} FROM frames"  # noqa: S608  # as above
            " WHERE model = ? AND cycle = ? ORDER BY hour, region, product",
            (model, cycle),
        )
        return tuple(FrameEntry(*typed(FRAME_COLUMNS, row)) for row in rows)

    async def arrivals(self, model: str, cycle: str, *, runs: int) -> tuple[ArrivalEntry, ...]:
        """When the hours of a run came, and those of the *runs* before it.

        Of the runs at the same time of day, and of all: as many each.
        """
        rows = await self._read(
            f"SELECT {', '.join(ARRIVAL_COLUMNS)} FROM arrivals WHERE model = ?1 AND ("  # noqa: S608  # as above
            f" cycle = ?2 OR cycle IN ({_RUNS} ORDER BY cycle DESC LIMIT ?3)"
            f" OR cycle IN ({_RUNS} AND substr(cycle, 9) = substr(?2, 9)"
            " ORDER BY cycle DESC LIMIT ?3)) ORDER BY cycle, hour",
            (model, cycle, runs),
        )
        return tuple(ArrivalEntry(*typed(ARRIVAL_COLUMNS, row)) for row in rows)

    async def freshness(self, since: datetime) -> tuple[FreshnessEntry, ...]:
        """How the hours came online that did so from *since* on, in that order."""
        rows = await self._read(
            f"SELECT {', '.join(FRESHNESS_COLUMNS)} FROM freshness"  # noqa: S608  # as above
            " WHERE published_at >= ? ORDER BY published_at",
            (since.timestamp(),),
        )
        return tuple(FreshnessEntry(*typed(FRESHNESS_COLUMNS, row)) for row in rows)

    async def _open(self) -> aiosqlite.Connection:
        try:
            return await open_ledger(self.path)
        except Damaged as damage:
            aside = await asyncio.to_thread(set_aside, self.path, self._clock.now())
            self.set_aside, self.begun_anew = aside, True
            self._log.warning("ledger.set_aside", reason=str(damage), path=str(aside))
            return await open_ledger(self.path)

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
                with suppress(sqlite3.Error):  # the same trouble
                    if self._database.in_transaction:
                        await self._database.rollback()

    async def _read(self, sql: str, values: tuple[Value, ...]) -> list[tuple[Any, ...]]:
        async with self._lock:
            if self._database is None:
                return []
            try:
                async with self._database.execute(sql, values) as cursor:
                    return [tuple(row) for row in await cursor.fetchall()]
            except sqlite3.Error as error:
                self._log.warning("ledger.read_failed", reason=str(error))
                return []
