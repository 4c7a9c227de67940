"""What nobody foresaw ends a command in a sentence; its traceback is for who asks for it."""

import sys

import pytest
import structlog
from structlog.testing import capture_logs

from twf_async.cli.group import COMMANDS, run


@pytest.fixture
def broken(monkeypatch):
    monkeypatch.setitem(COMMANDS, "broken", "tests.cli.broken")

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["twf-async", *words, "broken"])
        return run()

    yield call
    structlog.reset_defaults()


@pytest.mark.parametrize("words", [(), ("--debug",)])
def test_a_fault_of_ours_is_a_sentence_and_a_traceback_only_with_debug(words, broken, capfd):
    structlog.reset_defaults()

    assert broken(*words) == 1

    told = capfd.readouterr().err
    assert "a fault of twf-async itself, LookupError: no such thing; please report it" in told
    assert ("Traceback" in told) == bool(words)
    assert len(told.splitlines()) == 1 or words


def test_where_there_is_a_log_it_has_the_fault_whole(broken, capfd):
    structlog.configure()
    with capture_logs() as logs:
        assert broken() == 1

    (line,) = logs
    assert line["event"] == "app.crashed"
    assert isinstance(line["exc_info"], LookupError)
