"""A command without a service tells what it did in sentences; its parts log only when asked to."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import REPOSITORY
from tests.integration.service import GFS, unhurried, wait_for

RUN = ("run", "--model", "gfs", "--cycle", GFS, "--hours", "6", "--products", "t2m")


@pytest.fixture
def plain(twf):
    """The command line where nobody asked for log lines."""
    twf.environ = {k: v for k, v in twf.environ.items() if k != "TWF_LOGS__LEVEL"}
    return twf


def test_a_run_is_one_sentence_and_logs_when_it_is_asked_to(plain, replica):
    plain.environ["TWF_UPSTREAM__NOMADS_URL"] = replica
    done = plain(*RUN)

    assert (done.code, done.err) == (0, "")
    (line,) = done.out.splitlines()
    assert line.startswith(f"gfs {GFS}: 1 of 1 frames published (1 drawn now, ")

    for arguments, environ in ((("--debug", *RUN), {}), (RUN, {"TWF_LOGS__LEVEL": "info"})):
        events = [line["event"] for line in plain(*arguments, **environ).log]
        assert "pipeline.run_ended" in events

    for command, said in (
        (("pin", "gfs", GFS, "a", "storm"), f"gfs {GFS} stays until"),
        (("unpin", "gfs", GFS), f"gfs {GFS} goes when its time comes"),
        (("clean", "--dry-run"), "0 B  would be freed"),
        (("clean",), "0 B  freed"),
    ):
        done = plain(*command)
        assert (done.code, done.err) == (0, ""), command
        assert said in done.out


def test_what_is_not_there_is_listed_and_nothing_else_is_said(plain, replica):
    plain.environ["TWF_UPSTREAM__NOMADS_URL"] = replica
    done = plain("run", "--model", "gfs", "--cycle", GFS, "--hours", "3", "--products", "t2m")

    assert done.code == 3
    assert [line.startswith("missing pnw/t2m/f003: ") for line in done.err.splitlines()] == [True]


def test_a_ledger_that_is_damaged_is_named_and_costs_the_run_nothing(plain, replica):
    plain.environ["TWF_UPSTREAM__NOMADS_URL"] = replica
    ledger = Path(plain.environ["TWF_STATE_DIR"]) / "ledger.sqlite"
    ledger.parent.mkdir(parents=True, exist_ok=True)
    ledger.write_bytes(b"no database" * 1000)
    done = plain(*RUN)

    (aside,) = ledger.parent.glob("ledger.sqlite.corrupt-*")
    assert done.code == 0
    (line,) = done.err.splitlines()
    assert line.startswith("the ledger was damaged (")
    assert line.endswith(f"): it is now {aside}, another is begun")


def test_a_source_that_does_not_answer_is_said_once_while_it_is_asked_again(plain, tmp_path):
    environ = os.environ | plain.environ | {"TWF_UPSTREAM__NOMADS_URL": "http://127.0.0.1:9"}
    told = tmp_path / "told"
    with told.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "twf_async", *RUN, "--hours", "0-6/6"],
            cwd=REPOSITORY,
            env=environ,
            stderr=stderr,
        )
    try:
        wait_for(lambda: unhurried(told.read_text()), "a sentence about the source")
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=60)

    assert code == 130
    (line,) = unhurried(told.read_text()).splitlines()
    assert line.startswith("http://127.0.0.1:9 does not answer (")
    assert line.endswith("; it is asked again")


@pytest.mark.parametrize("command", ["pin", "unpin", "backfill"])
def test_what_is_no_cycle_is_said_before_anything_is_asked(command, plain):
    done = plain(command, "gfs", "20260129", *(["why"] if command == "pin" else []))

    assert done.code == 2
    assert "'20260129' is no cycle; write its date and hour in UTC, as 2026012912" in done.err


def test_the_check_hints_at_an_empty_contact_and_finds_no_fault_in_it(plain, config):
    told = "upstream.contact is empty; write an address there that NCEP can reach"
    done = plain("check-config", "--config", config)
    as_json = plain("check-config", "--config", config, "--json")
    named = plain("check-config", "--config", config, TWF_UPSTREAM__CONTACT="me@example.org")

    assert (done.code, as_json.code, named.code) == (0, 0, 0)
    assert done.err.startswith(f"hint: {config}/service.toml: {told}")
    (hint,) = json.loads(as_json.out)["hints"]
    assert told in hint
    assert named.err == ""
