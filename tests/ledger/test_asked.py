"""What somebody asked for is noted until it has ended, whatever ends the service."""

import sqlite3
import string
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.ledger.test_ledger import opened
from twf_async.ledger.entries import AskedEntry, FrameEntry
from twf_async.ledger.opening import MEMORY
from twf_async.ledger.schema import MIGRATIONS

AT = datetime(2026, 1, 29, 16, 0, 5, tzinfo=UTC)
PART = AskedEntry("gfs", "2026012906", (0, 3), ("pnw",), ("t2m", "refc"), wait=False, asked_at=AT)
WHOLE = AskedEntry(
    "gfs", "2026012812", None, None, None, wait=True, asked_at=AT + timedelta(seconds=1)
)

keys = st.text(string.ascii_lowercase + string.digits + "_'\"\\ä,[", min_size=1, max_size=12)


def some(items):
    return st.none() | st.lists(items, max_size=6).map(tuple)


async def test_what_was_asked_for_is_there_after_a_restart_until_it_is_forgotten(tmp_path):
    path = tmp_path / "ledger.sqlite"
    async with opened(path) as ledger:
        await ledger.record_asked(WHOLE)
        await ledger.record_asked(PART)
    async with opened(path) as ledger:
        noted = await ledger.asked("gfs")
        of_others = await ledger.asked("hrrr")
        await ledger.forget_asked(PART.model, PART.cycle)
    async with opened(path) as ledger:
        left = await ledger.asked("gfs")

    assert noted == (PART, WHOLE)  # as they were asked for
    assert of_others == ()
    assert left == (WHOLE,)


@given(
    hours=some(st.integers(0, 999)),
    regions=some(keys),
    products=some(keys),
    wait=st.booleans(),
    seconds=st.integers(0, 2**31),
)
async def test_whatever_is_asked_for_comes_back_as_it_was(hours, regions, products, wait, seconds):
    at = datetime.fromtimestamp(seconds, UTC)
    entry = AskedEntry("gfs", "2026012906", hours, regions, products, wait, at)
    async with opened(MEMORY) as ledger:
        await ledger.record_asked(entry)

        assert await ledger.asked("gfs") == (entry,)


async def test_of_one_run_the_last_thing_asked_for_counts(tmp_path):
    async with opened(tmp_path / "ledger.sqlite") as ledger:
        await ledger.record_asked(PART)
        more = AskedEntry("gfs", PART.cycle, None, None, None, wait=False, asked_at=AT)
        await ledger.record_asked(more)

        assert await ledger.asked("gfs") == (more,)


async def test_a_run_that_is_taken_off_takes_with_it_what_was_asked_for(tmp_path):
    async with opened(tmp_path / "ledger.sqlite") as ledger:
        await ledger.record_asked(PART)
        await ledger.record_asked(WHOLE)
        await ledger.forget_run(PART.model, PART.cycle)

        assert await ledger.asked("gfs") == (WHOLE,)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
async def test_a_ledger_of_every_earlier_version_takes_what_is_asked_for(tmp_path, version):
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as database:
        script = "".join(MIGRATIONS[:version])
        database.executescript(f"{script}; PRAGMA user_version = {version}")
    database.close()

    async with opened(path) as ledger:
        await ledger.record_frames([FrameEntry("gfs", PART.cycle, 6, "pnw", "t2m", "published")])
        await ledger.record_asked(PART)
        found = await ledger.asked("gfs"), len(await ledger.frames("gfs", PART.cycle))

    assert ledger.set_aside is None
    assert found == ((PART,), 1)


async def test_an_entry_that_nobody_understands_is_told_and_costs_no_other(tmp_path):
    path = tmp_path / "ledger.sqlite"
    async with opened(path) as ledger:
        await ledger.record_asked(PART)
        await ledger.record_asked(WHOLE)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE asked SET hours = '[0, 3' WHERE cycle = ?", (PART.cycle,))
    database.close()

    with capture_logs() as lines:
        async with opened(path) as ledger:
            noted = await ledger.asked("gfs")

    assert noted == (WHOLE,)
    (line,) = [line for line in lines if line["event"] == "ledger.read_failed"]
    assert f"gfs {PART.cycle} is not understood" in line["reason"]


def spoil(path, tables):
    """Overwrite the root pages of *tables*, as a disk does; what else is there stays."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = database.execute("PRAGMA page_size").fetchone()
        sql = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        pages = [database.execute(sql, (name,)).fetchone()[0] for name in tables]
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)


async def test_what_was_asked_for_is_read_out_of_a_ledger_that_is_damaged_elsewhere(tmp_path):
    path = tmp_path / "ledger.sqlite"
    async with opened(path) as ledger:
        for entry in (WHOLE, PART):
            await ledger.record_asked(entry)
    spoil(path, ["frames", "hours"])
    damaged = path.read_bytes()
    with capture_logs() as lines:
        async with opened(path) as ledger:
            assert ledger.set_aside.read_bytes() == damaged
            assert ledger.begun_anew
            assert await ledger.asked("gfs") == (PART, WHOLE)
    async with opened(path) as ledger:
        assert await ledger.asked("gfs") == (PART, WHOLE)
    (line,) = [line for line in lines if line["event"] == "ledger.set_aside"]
    assert line["asked"] == 2


async def test_of_what_was_asked_for_is_kept_what_comes_before_the_damage(tmp_path):
    path = tmp_path / "ledger.sqlite"
    many = [
        AskedEntry("gfs", f"20260{month}{day}00", None, ("pnw",) * 40, None, False, AT)
        for month in (1, 2, 3)
        for day in range(10, 28)
    ]
    async with opened(path) as ledger:
        for entry in many:
            await ledger.record_asked(entry)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = database.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek(-size, 2)
        file.write(b"\xff" * size)
    async with opened(path) as ledger:
        kept = await ledger.asked("gfs")

    assert 0 < len(kept) < len(many)
    assert kept == tuple(many[: len(kept)])


async def test_what_makes_no_sense_in_a_damaged_ledger_is_left_there(tmp_path):
    path = tmp_path / "ledger.sqlite"
    async with opened(path) as ledger:
        await ledger.record_asked(PART)
    with closing(sqlite3.connect(path)) as database, database:
        row = "INSERT INTO asked VALUES (?, ?, ?, NULL, NULL, 0, ?)"
        database.execute(row, ("gfs", "garbage", None, 0.0))
        database.execute(row, ("gfs", "2026012900", "{", 0.0))
        database.execute(row, ("gfs", "2026012800", None, 1e300))
        database.execute(row, (b"\xff", "2026012700", None, 0.0))
        database.execute("DROP TABLE frames")
    async with opened(path) as ledger:
        assert ledger.set_aside is not None
        assert await ledger.asked("gfs") == (PART,)


async def test_where_nothing_can_be_read_nothing_was_asked_for(tmp_path):
    path = tmp_path / "ledger.sqlite"
    async with opened(path) as ledger:
        await ledger.record_asked(PART)
    spoil(path, ["asked"])
    async with opened(path) as ledger:
        assert ledger.set_aside is not None
        assert await ledger.asked("gfs") == ()
