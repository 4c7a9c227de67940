"""What a command says of its log: what it waits for and what was lost, each once."""

import pytest
import structlog

from twf_async.cli.trouble import Trouble

SILENT = {"event": "fetch.retried", "detail": "http://source does not answer", "pause_s": 10.0}
BLOCKED = {"event": "fetch.throttled", "source": "nomads", "reason": "over the limit"}
GIVEN_UP = {"event": "pipeline.source_given_up", "detail": "no answer", "silent_s": 601}


@pytest.fixture
def told(capfd):
    """The sentences that events make, in their order."""
    trouble = Trouble()

    def _told(*events):
        for event in events:
            with pytest.raises(structlog.DropEvent):
                trouble(None, "", dict(event))
        return capfd.readouterr().err.splitlines()

    return _told


def test_what_is_waited_for_is_said_once(told):
    other = SILENT | {"detail": "http://other does not answer"}

    assert told(SILENT, SILENT, BLOCKED, other, BLOCKED) == [
        "http://source does not answer; it is asked again",
        "nomads asks to be left alone for a while (over the limit)",
        "http://other does not answer; it is asked again",
    ]


def test_after_giving_up_nothing_is_asked_again(told):
    assert told(GIVEN_UP, SILENT, BLOCKED) == [
        "given up, for no hour has come for 601 s: no answer"
    ]


@pytest.mark.parametrize(
    ("reason", "detail", "mend"),
    [
        ("cache unusable", "f{}: Not a directory", "mend that"),
        ("no disk space", "f{}: 9 bytes free", "make room"),
    ],
)
def test_of_a_cache_that_takes_nothing_is_said_once_what_is_wrong_and_what_helps(
    reason, detail, mend, told
):
    failed = [
        {"event": "fetch.failed", "reason": reason, "detail": detail.format(hour), "pause_s": 60.0}
        for hour in (0, 3)
    ]
    given_up = {"event": "pipeline.cache_given_up", "reason": reason, "detail": failed[0]["detail"]}

    (line,) = told(*failed, given_up, SILENT)
    assert line.startswith(f"the cache takes nothing, {failed[0]['detail']}; {mend}, or name")
    assert line.endswith("another cache_dir, in service.toml or as TWF_CACHE_DIR")


def test_what_is_lost_is_said_and_the_rest_is_silence(told):
    at = {"path": "/state/ledger.sqlite", "reason": "disk I/O error"}

    assert told({"event": "ledger.not_kept"} | at, {"event": "fetch.finished", "pause_s": 1}) == [
        "the ledger /state/ledger.sqlite cannot be kept (disk I/O error); the maps do not need it"
    ]


OFF = {"event": "fetch.clock_off", "source": "nomads", "reason": "set it", "ahead_s": 7384}


@pytest.mark.parametrize(("ahead_s", "off"), [(7384, "2 h 3 min ahead of"), (-150, "150 s behind")])
def test_a_clock_that_is_off_is_said_once_whatever_source_says_so(ahead_s, off, told):
    event = OFF | {"ahead_s": ahead_s}
    (line,) = told(event, event | {"source": "aws"})

    assert line.startswith(f"this machine's clock is {off} that of nomads; set it (")
