"""The program `twf-async replica`: what it is called with, and what it says of what cannot be."""

import socket
import sys

import pytest
import structlog

from twf_async.replica.command import run


@pytest.fixture
def call(monkeypatch, capfd):
    """The program in this process: exit code, what is on stdout, lines on stderr."""

    def _call(*words):
        monkeypatch.setattr(sys, "argv", ["twf-async replica", *map(str, words)])
        code = run()
        told = capfd.readouterr()
        return code, told.out, told.err.splitlines()

    yield _call
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--rot", "/"], "no such option '--rot' (did you mean '--root'?); `twf-async replica --h"),
        (["--xyzzy"], "no such option '--xyzzy'; `twf-async replica --help` says what there is"),
        (["--root", "/nowhere"], "invalid value for '--root': Directory '/nowhere' does not exist"),
        (["--demo", "more"], "got unexpected extra argument (more); `twf-async replica --help`"),
        ([], "the replica serves either --root DIR or --demo"),
    ],
)
def test_what_is_called_wrongly_is_one_sentence_and_2(words, sentence, call):
    code, out, (line,) = call(*words)

    assert (code, out) == (2, "")
    assert line.startswith(sentence)


@pytest.fixture
def taken():
    """A port that somebody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_hits_that_cannot_be_written_are_refused_before_anything_is_served(call, taken, tmp_path):
    hits = tmp_path / "none" / "hits"
    code, out, (line,) = call("--root", tmp_path, "--hits", hits, "--port", taken)

    assert (code, out) == (1, "")
    assert line == f"{hits}: No such file or directory"


def test_a_port_that_is_taken_is_named_with_what_helps(call, taken, tmp_path):
    code, out, (line,) = call("--root", tmp_path, "--port", taken)

    assert (code, out) == (1, "")
    assert f"('127.0.0.1', {taken}): address already in use" in line
    assert line.endswith("; stop what listens there, or take another port")


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_the_help_is_its_own(word, call):
    code, out, lines = call(word)

    assert (code, lines) == (0, [])
    assert "--mirror-lag" in out
