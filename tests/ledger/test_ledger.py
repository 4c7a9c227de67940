import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from twf_async.ledger.entries import FrameEntry, HourEntry
from twf_async.ledger.ledger import Ledger
from twf_async.ledger.opening import LedgerTooNew
from twf_async.ledger.schema import MIGRATIONS

NAME = ("gfs", "2026012912")
SEEN = datetime(2026, 1, 29, 15, 30, tzinfo=UTC)


@asynccontextmanager
async def opened(path):
    ledger = Ledger(path)
    await ledger.start()
    try:
        yield ledger
    finally:
        await ledger.stop()


async def test_what_was_noted_is_there_after_a_restart(tmp_path):
    path = tmp_path / "state" / "ledger.sqlite"
    async with opened(path) as ledger:
        await ledger.run_started(*NAME)
        await ledger.record_hours([HourEntry(*NAME, 6, "fetched", fetched_at=SEEN, bytes=7)])
        await ledger.record_frames([FrameEntry(*NAME, 6, "pnw", "t2m", "published", bytes=9)])
        await ledger.run_ended(*NAME, "complete")
    async with opened(path) as ledger:
        (run,) = await ledger.runs()
        assert (run.model, run.cycle, run.state) == (*NAME, "complete")
        assert run.ended_at >= run.first_seen_at
        (hour,) = await ledger.hours(*NAME)
        assert (hour.fetched_at, hour.bytes) == (SEEN, 7)
        (frame,) = await ledger.frames(*NAME)
        assert (frame.state, frame.bytes, frame.attempts) == ("published", 9, 1)


async def test_a_later_note_of_an_hour_keeps_what_it_does_not_say(tmp_path):
    async with opened(tmp_path / "l.sqlite") as ledger:
        await ledger.record_hours(
            [HourEntry(*NAME, 6, "fetched", fetched_at=SEEN, method="RANGES")]
        )
        await ledger.record_hours([HourEntry(*NAME, 6, "published", render_s=0.5)])
        (hour,) = await ledger.hours(*NAME)
        assert (hour.state, hour.method, hour.fetched_at, hour.render_s) == (
            "published",
            "RANGES",
            SEEN,
            0.5,
        )


async def test_every_note_of_a_frame_counts_as_an_attempt(tmp_path):
    async with opened(tmp_path / "l.sqlite") as ledger:
        for state in ("failed", "failed", "published"):
            await ledger.record_frames([FrameEntry(*NAME, 6, "pnw", "t2m", state)])
        (frame,) = await ledger.frames(*NAME)
        assert (frame.attempts, frame.state) == (3, "published")


async def test_a_forgotten_run_leaves_nothing(tmp_path):
    async with opened(tmp_path / "l.sqlite") as ledger:
        for cycle in ("2026012906", "2026012912"):
            await ledger.run_started("gfs", cycle)
            await ledger.record_hours([HourEntry("gfs", cycle, 6, "fetched")])
            await ledger.record_frames([FrameEntry("gfs", cycle, 6, "pnw", "t2m", "published")])
        await ledger.forget_run("gfs", "2026012906")
        assert [run.cycle for run in await ledger.runs("gfs")] == ["2026012912"]
        assert await ledger.hours("gfs", "2026012906") == ()
        assert await ledger.frames("gfs", "2026012906") == ()


@pytest.mark.parametrize(
    "damage", [b"no database at all " * 300, b"SQLite format 3\0" + b"\7" * 9000]
)
async def test_a_corrupt_file_is_set_aside_and_a_new_one_begun(tmp_path, damage):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(damage)
    async with opened(path) as ledger:
        assert ledger.set_aside is not None
        assert ledger.set_aside.read_bytes() == damage
        await ledger.run_started(*NAME)
        assert len(await ledger.runs()) == 1


async def test_pages_that_were_overwritten_are_found_at_start(tmp_path):
    path = tmp_path / "ledger.sqlite"
    async with opened(path) as ledger:
        await ledger.record_frames(
            FrameEntry(*NAME, hour, "pnw", f"p{n}", "published")
            for hour in range(60)
            for n in range(9)
        )
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    content = bytearray(path.read_bytes())
    content[4096 * 4 : 4096 * 9] = os.urandom(4096 * 5)
    path.write_bytes(content)
    async with opened(path) as ledger:
        assert ledger.set_aside is not None
        assert await ledger.runs() == ()


async def test_a_ledger_of_a_newer_version_is_not_touched(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    database.close()
    with pytest.raises(LedgerTooNew, match="install the newer software"):
        await Ledger(path).start()
    assert path.is_file()


async def test_notes_after_the_end_are_ignored(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite")
    await ledger.start()
    await ledger.stop()
    await ledger.run_started(*NAME)
    assert await ledger.runs() == ()


async def test_a_cancelled_note_is_whole_or_absent(tmp_path):
    async with opened(tmp_path / "l.sqlite") as ledger:
        entries = [FrameEntry(*NAME, 6, "pnw", f"p{n}", "published") for n in range(200)]
        task = asyncio.create_task(ledger.record_frames(entries))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        await ledger.run_started(*NAME)
        assert len(await ledger.frames(*NAME)) in {0, 200}


WRITER = """
import asyncio, sys
from pathlib import Path
from twf_async.ledger.entries import FrameEntry
from twf_async.ledger.ledger import Ledger

async def main():
    ledger = Ledger(Path(sys.argv[1]))
    await ledger.start()
    for hour in range(10**6):
        await ledger.record_frames(
            FrameEntry("gfs", "2026012912", hour, "pnw", f"p{n}", "published") for n in range(20)
        )
        print(hour, file=sys.stderr, flush=True)

asyncio.run(main())
"""


def write_and_be_killed(path, after):
    """Notes in another process until it is killed; returns the last hour it said was noted."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    ) as writer:
        noted = next(hour for hour in map(int, writer.stderr) if hour >= after)
        writer.send_signal(signal.SIGKILL)
    return noted


async def test_a_kill_while_writing_loses_nothing_that_was_noted(tmp_path):
    path = tmp_path / "ledger.sqlite"
    noted = await asyncio.to_thread(write_and_be_killed, path, 30)
    async with opened(path) as ledger:
        assert ledger.set_aside is None
        frames = await ledger.frames(*NAME)
        assert len(frames) % 20 == 0
        assert len(frames) >= (noted + 1) * 20


FORGOTTEN = """
import asyncio, sys
from pathlib import Path
from twf_async.ledger.ledger import Ledger

ledger = Ledger(Path(sys.argv[1]))

async def main():
    await ledger.start()
    sys.exit("a fault before its stop")

asyncio.run(main())
"""


def test_a_ledger_that_a_fault_left_open_does_not_hold_up_the_end_of_its_process(tmp_path):
    command = [sys.executable, "-c", FORGOTTEN, str(tmp_path / "l.sqlite")]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.returncode == 1, done.stderr
    assert "a fault before its stop" in done.stderr
