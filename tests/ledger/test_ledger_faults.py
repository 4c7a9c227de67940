"""The ledger's file in every bad state: damaged, cut, torn, not ours, of another version."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.ledger.test_ledger import NAME, opened
from twf_async.ledger import opening
from twf_async.ledger.entries import FrameEntry
from twf_async.ledger.schema import MIGRATIONS

ENTRIES = [
    FrameEntry(*NAME, hour, "pnw", f"p{n}", "published") for hour in range(60) for n in range(9)
]


@pytest.fixture
async def sound(tmp_path):
    """A ledger of many pages, all of it in its main file."""
    path = tmp_path / "state" / "ledger.sqlite"
    async with opened(path) as ledger:
        await ledger.run_started(*NAME)
        await ledger.record_frames(ENTRIES)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
async def test_a_truncated_file_is_set_aside_and_a_new_one_begun(sound, share):
    os.truncate(sound, int(sound.stat().st_size * share))
    cut = sound.read_bytes()
    with capture_logs() as lines:
        async with opened(sound) as ledger:
            assert ledger.set_aside.read_bytes() == cut
            assert ledger.begun_anew
            await ledger.run_started(*NAME)
            assert len(await ledger.runs()) == 1
    assert [line["event"] for line in lines] == ["ledger.set_aside", "ledger.started"]
    async with opened(sound) as ledger:
        assert (ledger.set_aside, ledger.begun_anew) == (None, False)


async def test_an_empty_file_is_a_new_ledger(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.touch()
    async with opened(path) as ledger:
        assert ledger.set_aside is None
        await ledger.run_started(*NAME)
        assert len(await ledger.runs()) == 1


async def test_tables_that_are_not_those_of_the_version_are_damage(tmp_path):
    for name, script in {
        "unversioned": "CREATE TABLE runs (what TEXT)",
        "incomplete": f"CREATE TABLE runs (what TEXT); PRAGMA user_version = {len(MIGRATIONS)}",
    }.items():
        path = tmp_path / f"{name}.sqlite"
        with sqlite3.connect(path) as database:
            database.executescript(script)
        database.close()
        async with opened(path) as ledger:
            assert ledger.set_aside is not None, name
            await ledger.run_started(*NAME)
            assert len(await ledger.runs()) == 1


@pytest.mark.parametrize("share", [0.2, 0.7, 0.99])
async def test_a_torn_write_ahead_log_loses_its_end_and_no_more(tmp_path, share):
    live, torn = tmp_path / "live.sqlite", tmp_path / "torn.sqlite"
    async with opened(live) as ledger:
        await ledger.run_started(*NAME)
        for entry in ENTRIES[:90]:
            await ledger.record_frames([entry])
        wal = live.with_name("live.sqlite-wal")  # as a power cut leaves it: no checkpoint
        shutil.copyfile(live, torn)
        content = wal.read_bytes()
        torn.with_name("torn.sqlite-wal").write_bytes(content[: int(len(content) * share)])
    async with opened(torn) as ledger:
        frames = await ledger.frames(*NAME)
        assert ledger.set_aside is None
        assert [f.product for f in frames] == [e.product for e in ENTRIES[: len(frames)]]
        assert 0 < len(frames) < 90
        await ledger.record_frames(ENTRIES[:90])
        assert len(await ledger.frames(*NAME)) == 90


async def test_a_write_ahead_log_of_rubbish_is_not_believed(sound):
    sound.with_name("ledger.sqlite-wal").write_bytes(os.urandom(40_000))
    async with opened(sound) as ledger:
        assert ledger.set_aside is None
        assert len(await ledger.frames(*NAME)) == len(ENTRIES)


async def test_a_new_ledger_has_nothing_of_the_damaged_ones_log(sound):
    wal = sound.with_name("ledger.sqlite-wal")
    async with opened(sound) as ledger:
        await ledger.record_frames(ENTRIES)
        noted = wal.read_bytes()
    sound.write_bytes(b"rubbish " * 4000)
    wal.write_bytes(noted)
    async with opened(sound) as ledger:
        assert ledger.set_aside is not None
        assert await ledger.frames(*NAME) == ()
        assert not wal.read_bytes().startswith(noted[:4096])


READER = """
import asyncio, concurrent.futures.thread, json, os, sys
from pathlib import Path
from structlog.testing import capture_logs
from twf_async.ledger.ledger import Ledger

async def main():
    ledger = Ledger(Path(sys.argv[1]))
    with capture_logs() as lines:
        await ledger.start()
        await ledger.run_started("gfs", "2026012918")
        runs = [run.cycle for run in await ledger.runs()]
        await ledger.stop()
    events = [line["event"] for line in lines]
    print(json.dumps([events, runs, ledger.begun_anew, lines[0].get("reason", "")]))

if os.geteuid() == 0:  # who may write everything
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
asyncio.run(main())
"""


def as_somebody_else(path):
    """Use the ledger as a user who may read but not write it."""
    done = subprocess.run(
        [sys.executable, "-c", READER, str(path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def open_to_all(tmp_path):
    """A directory that everybody can reach: those of tests are their owner's alone."""
    changed = []
    for directory in (tmp_path, *tmp_path.parents):
        mode = stat.S_IMODE(directory.stat().st_mode)
        if mode & 0o005 != 0o005 and directory.owner() == Path.home().owner():
            directory.chmod(mode | 0o055)
            changed.append((directory, mode))
    yield
    for directory, mode in changed:
        directory.chmod(mode)


async def test_a_read_only_ledger_is_done_without_and_left_as_it_is(sound, open_to_all):
    before = sound.read_bytes()
    sound.chmod(0o444)
    sound.parent.chmod(0o555)
    try:
        said = as_somebody_else(sound)
    finally:
        sound.parent.chmod(0o755)
    assert said.startswith('[["ledger.not_kept"], ["2026012918"], true, ')
    assert "readonly" in said or "unable to open" in said
    assert sorted(path.name for path in sound.parent.iterdir()) == ["ledger.sqlite"]
    assert sound.read_bytes() == before


async def test_where_no_ledger_can_be_made_it_is_done_without(tmp_path):
    (tmp_path / "state").write_text("not a directory")
    with capture_logs() as lines:
        async with opened(tmp_path / "state" / "ledger.sqlite") as ledger:
            await ledger.run_started(*NAME)
            assert len(await ledger.runs()) == 1
    assert [line["event"] for line in lines] == ["ledger.not_kept"]


async def test_what_cannot_be_read_any_more_is_as_if_it_had_not_been_noted(sound):
    async with opened(sound) as ledger:
        with sqlite3.connect(sound) as database:
            database.execute("DROP TABLE frames")
        database.close()
        with capture_logs() as lines:
            assert await ledger.frames(*NAME) == ()
            await ledger.record_frames(ENTRIES)
            assert len(await ledger.runs()) == 1
    assert [line["event"] for line in lines] == ["ledger.read_failed", "ledger.write_failed"]
    async with opened(sound) as ledger:
        assert ledger.set_aside is not None


async def test_a_ledger_that_another_process_holds_is_done_without_and_left_as_it_is(
    sound, monkeypatch
):
    monkeypatch.setattr(opening, "BUSY_S", 0.05)
    with sqlite3.connect(sound, isolation_level=None) as database:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("BEGIN EXCLUSIVE")
        with capture_logs() as lines:
            async with opened(sound) as ledger:
                assert (ledger.set_aside, ledger.begun_anew) == (None, True)
                await ledger.run_started(*NAME)
                assert len(await ledger.runs()) == 1
        database.execute("COMMIT")
    database.close()
    assert [(line["event"], line["log_level"]) for line in lines] == [("ledger.not_kept", "error")]
    assert "locked" in lines[0]["reason"]
    async with opened(sound) as ledger:
        assert len(await ledger.frames(*NAME)) == len(ENTRIES)


async def test_a_directory_in_the_ledgers_place_is_told_and_done_without(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.mkdir()
    with capture_logs() as lines:
        async with opened(path) as ledger:
            await ledger.run_started(*NAME)
            assert len(await ledger.runs()) == 1
    assert [line["event"] for line in lines] == ["ledger.not_kept"]
    assert path.is_dir()


async def test_a_ledger_that_knows_of_no_run_is_as_good_as_none(tmp_path):
    """Who cleans up begins one, and fills it with nothing: whoever comes next has to."""
    path = tmp_path / "ledger.sqlite"
    for _ in range(2):
        async with opened(path) as ledger:
            assert ledger.begun_anew
    async with opened(path) as ledger:
        await ledger.run_started(*NAME)
    async with opened(path) as ledger:
        assert not ledger.begun_anew
