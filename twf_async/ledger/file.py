"""The ledger's file: one connection, one writer at a time, and no trouble that stops the service.

A damaged file is set aside, and what was asked for is taken out of it; one that cannot be used is
done without (what happens is then remembered until the end only), a write that fails is logged and
lost, and where it cannot be read nothing is known.
"""

import asyncio
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiosqlite
import structlog

from twf_async.clock import Clock
from twf_async.ledger.opening import MEMORY, Damaged, open_ledger, set_aside
from twf_async.ledger.rows import Statement, Value, replace_asked
from twf_async.ledger.salvage import asked_in


class LedgerFile:
    """One SQLite file in WAL mode, opened, read and written. What is in it is `Ledger`'s."""

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        self.path = path
        self.set_aside: Path | None = None  # where a damaged predecessor went at start
        self.begun_anew = False  # whether it knew of no run at start
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
            self._database = await self._open()
            self.begun_anew = not await self._read("SELECT 1 FROM runs LIMIT 1", ())
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

    async def _open(self) -> aiosqlite.Connection:
        try:
            return await open_ledger(self.path)
        except Damaged as damage:
            aside = await asyncio.to_thread(set_aside, self.path, self._clock.now())
            self.set_aside = aside
            asked = await asyncio.to_thread(asked_in, aside)
            self._log.warning(
                "ledger.set_aside", reason=str(damage), path=str(aside), asked=len(asked)
            )
            self._database = await open_ledger(self.path)
            await self._write(*map(replace_asked, asked))
            return self._database

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
