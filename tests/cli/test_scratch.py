"""Directories of commands: what one left that was killed, the next of its kind removes."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from render_farm.worker.scratch import MARK, scratch, sweep
from tests.integration.service import REPOSITORY, wait_for
from tests.integration.test_early_signals import processes_with


@pytest.fixture
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("s")  # short: sockets lie below it


@contextmanager
def begun(words, place, prefix):
    """The directory of a command that has just made it; the command is killed at the end."""
    before = {*place.glob(f"{prefix}*/{MARK}")}
    process = subprocess.Popen(
        [sys.executable, "-m", "twf_async", *words, "--config", REPOSITORY / "config"],
        cwd=place,
        env=os.environ | {"TMPDIR": str(place), "TWF_WEB__PORT": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        (mark,) = wait_for(lambda: {*place.glob(f"{prefix}*/{MARK}")} - before, "it is at work")
        yield mark.parent
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for(lambda: not processes_with(place), "its children have ended too")


@pytest.mark.parametrize(
    ("words", "prefix"), [(["demo"], "twf-demo-"), (["bench", "render"], "twf-bench-")]
)
def test_what_a_killed_command_left_is_removed_by_the_next_one_of_its_kind(words, prefix, place):
    with begun(words, place, prefix) as left:
        (left / "gigabytes").touch()
    assert left.exists()

    with begun(words, place, prefix) as new:
        assert {*place.glob(f"{prefix}*")} == {new}


def test_what_cannot_be_removed_whole_is_left_to_the_next_sweep(tmp_path, monkeypatch):
    with scratch(tmp_path, "twf-demo-") as directory:
        kept = directory.with_name("twf-demo-dead")
        directory.rename(kept)  # its lock would go with the process
        directory.mkdir()
    assert (kept / MARK).exists()

    with monkeypatch.context() as patch:  # a child of the dead one writes while it is removed
        patch.setattr("shutil.rmtree", lambda path, **_: (path / MARK).unlink())
        sweep(tmp_path, "twf-demo-")
    sweep(tmp_path, "twf-demo-")

    assert [*tmp_path.iterdir()] == []


def test_that_of_one_that_lives_stays(tmp_path):
    with scratch(tmp_path, "twf-demo-") as first, scratch(tmp_path, "twf-demo-") as second:
        assert {*tmp_path.iterdir()} == {first, second}

    assert [*tmp_path.iterdir()] == []


def test_a_directory_of_the_same_name_that_is_not_marked_is_somebody_elses(tmp_path):
    other = tmp_path / "twf-demo-mine"
    other.mkdir()

    sweep(tmp_path, "twf-demo-")

    assert other.exists()
