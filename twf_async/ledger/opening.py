"""How the ledger's file is opened: checked, migrated, set aside where it is damaged.

Damage is what SQLite calls so, what its check finds, and tables that are not those which the file's
version has. Everything else, a read-only disk or a full one, is no fault of the file: it stays
where it is.
"""

import re
import sqlite3
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Thread

import aiosqlite

from twf_async.errors import TwfError
from twf_async.ledger.schema import MIGRATIONS

BUSY_S = 5.0  # for another connection to let go
MEMORY = Path(":memory:")
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_TABLES = frozenset(re.findall(r"CREATE TABLE (\w+)", "".join(MIGRATIONS)))
_COMPANIONS = ("", "-wal", "-shm")  # the write-ahead log may hold what a rescuer wants


class LedgerTooNew(TwfError):
    """A newer version of the software has written the ledger."""


class Damaged(Exception):
    """The file is not a ledger, or not any more."""


async def open_ledger(path: Path) -> aiosqlite.Connection:
    """A connection to a sound ledger of this version; made where there is none.

    raises  Damaged, LedgerTooNew; sqlite3.Error where the file cannot be used as it is
    """
    try:
        return await _open(path)
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in _DAMAGE:
            raise Damaged(str(error)) from error
        raise


def set_aside(path: Path, now: datetime) -> Path:
    """Move a damaged ledger out of the way, all its files; returns where it is now. Blocking."""
    aside = path.with_name(f"{path.name}.corrupt-{now:%Y%m%dT%H%M%S}")
    for suffix in _COMPANIONS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).replace(aside.with_name(aside.name + suffix))
    return aside


async def _open(path: Path) -> aiosqlite.Connection:
    database = await _ending_with_the_process(
        aiosqlite.connect(path, isolation_level=None, timeout=BUSY_S)
    )
    try:
        await database.execute("PRAGMA journal_mode = WAL")
        await database.execute("PRAGMA synchronous = NORMAL")
        await _check(database)
        await _migrate(database)
    except BaseException:
        await database.close()
        raise
    return database


def _ending_with_the_process(connection: aiosqlite.Connection) -> aiosqlite.Connection:
    """Have its thread end with the process, as one that is killed does: WAL is made for that.

    One that nobody closed would hold up every exit for ever, as would one whose disk is silent.
    """
    thread: Thread | None = getattr(connection, "_thread", None)  # no public way
    if thread is not None:
        thread.daemon = True
    return connection


async def _check(database: aiosqlite.Connection) -> None:
    async with database.execute("PRAGMA quick_check") as cursor:
        row = await cursor.fetchone()
    if row is None or row[0] != "ok":
        raise Damaged(f"quick_check says {row[0] if row else 'nothing'}")


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
        try:
            await database.executescript(f"BEGIN;{script};PRAGMA user_version = {number};COMMIT;")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
                raise Damaged(f"its tables are not those of version {version}: {error}") from error
            raise
    if lacking := _TABLES - await _tables(database):
        raise Damaged(f"it lacks {', '.join(sorted(lacking))}")


async def _tables(database: aiosqlite.Connection) -> set[str]:
    async with database.execute("SELECT name FROM sqlite_master WHERE type = 'table'") as cursor:
        return {str(row[0]) for row in await cursor.fetchall()}
