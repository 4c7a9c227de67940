"""What cannot be done is one sentence with the mend, on stdout too as a document where JSON is."""

import asyncio
import errno
import json
import os
import socket
import subprocess
import sys
import threading

import pytest
import structlog

from tests.integration.service import REPOSITORY, unhurried
from tests.ledger.test_asked import PART
from tests.ledger.test_ledger import opened
from twf_async.cli import faults
from twf_async.cli.group import run

CONFIG = ("--config", str(REPOSITORY / "config"))


@pytest.fixture
def call(monkeypatch, capfd):
    """The command line in this process: exit code, what is on stdout, lines on stderr."""

    def _call(*words):
        monkeypatch.setattr(sys, "argv", ["twf-async", *words])
        capfd.readouterr()  # what others have said
        code = run()
        told = capfd.readouterr()
        return code, told.out, told.err.splitlines()

    yield _call
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["staus"], "there is no command 'staus' (did you mean 'status'?); `twf-async --help`"),
        (["start"], "there is no command 'start' (did you mean 'serve'?); `twf-async --help`"),
        (["help"], "there is no command 'help' (did you mean '--help'?); `twf-async --help`"),
        (["run", "--model", "GFS", *CONFIG], "there is no model 'GFS'; did you mean 'gfs'?"),
        (["run"], "missing option '--model'; `twf-async run --help` says what there is"),
        (["pin", "gfs"], "missing argument 'YYYYMMDDHH'"),
        (["run", "--model", "gfs", "--patience", "0"], "'--patience': 0 is not in the range"),
        (["run", "--model", "gfs", "--regions", ",", *CONFIG], "name at least one region"),
        (["run", "--model", "gfs", "--products", "", *CONFIG], "name at least one product"),
    ],
)
def test_what_is_called_wrongly_is_one_sentence_and_2(words, sentence, call):
    code, out, (line,) = call(*words)

    assert (code, out) == (2, "")
    assert sentence in line


def test_a_command_alone_shows_what_there_is(call):
    code, out, lines = call()

    assert (code, out) == (2, "")
    assert any(line.startswith("  status ") for line in lines)


def test_json_is_a_document_however_the_command_ends(call, tmp_path):
    code, out, (line,) = call("status", "--json", "--state", str(tmp_path))

    assert code == 1
    assert json.loads(out) == {"error": line, "exit_code": 1, "last_known": [], "asked": []}
    assert line.startswith("no service runs here (")
    code, out, (line,) = call("clean", "--json", "--state", str(tmp_path))
    assert json.loads(out) == {"error": line, "exit_code": code}


def test_a_service_that_is_not_there_is_looked_for_at_a_place_with_its_whole_path(
    call, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    code, _, (line,) = call("pause", "--state", "mine")

    assert code == 1
    assert f"(nobody listens at {tmp_path}/mine/control.sock)" in line


async def test_what_a_ledger_last_knew_is_in_the_document_too(call, tmp_path):
    async with opened(tmp_path / "ledger.sqlite") as ledger:
        await ledger.run_started("gfs", "2026012912")
        await ledger.record_asked(PART)
    words = ("status", "--json", "--state", str(tmp_path))
    code, out, _ = await asyncio.to_thread(call, *words)

    assert code == 1
    told = json.loads(out)
    assert told["last_known"] == [
        {
            "model": "gfs",
            "cycle": "2026012912",
            "state": "running",
            "hours_fetched": 0,
            "fetched_at": None,
        }
    ]
    assert told["asked"] == [{"model": PART.model, "cycle": PART.cycle}]


@pytest.mark.parametrize(
    ("number", "path", "told"),
    [
        (errno.EACCES, "/srv/maps", "/srv/maps: Permission denied; run this as the user"),
        (errno.EROFS, "/srv/maps", "/srv/maps: Read-only file system; name a place"),
        (errno.ENOSPC, None, "No space left on device, for the output or for the files"),
        (errno.EMFILE, "/proc/meminfo", "/proc/meminfo: Too many open files; let this"),
        (errno.EIO, "/srv/maps", "/srv/maps: Input/output error"),
    ],
)
def test_what_the_system_refuses_is_told_with_its_place_and_what_helps(number, path, told, capfd):
    code = faults.tell(OSError(number, os.strerror(number), path))

    assert code == 1
    assert capfd.readouterr().err.startswith(told)


@pytest.mark.parametrize("words", [["pin", "gfs", "2026012912", "why"], ["clean"]])
def test_nothing_is_done_behind_the_back_of_a_service_that_does_not_answer(
    words, call, monkeypatch, tmp_path
):
    """One that runs and breaks off: its tree is its own."""
    for name in ("state", "cache", "publish"):
        monkeypatch.setenv(f"TWF_{name.upper()}_DIR", str(tmp_path / name))
    (tmp_path / "state").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "state" / "control.sock"))
        listener.listen()

        def break_off():
            listener.accept()[0].close()

        thread = threading.Thread(target=break_off)
        thread.start()
        code, out, (line,) = call(*words, *CONFIG)
        thread.join()

    assert (code, out) == (1, "")
    assert "broke off" in line
    assert not (tmp_path / "publish").exists()


def test_an_output_that_nobody_reads_any_more_is_no_fault_to_talk_of():
    with subprocess.Popen(
        [sys.executable, "-m", "twf_async", "check-config", "--json", *CONFIG],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.close()
        told = process.stderr.read()

    assert (process.wait(), unhurried(told)) == (1, "")
