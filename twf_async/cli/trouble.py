"""What of a command's log is worth a sentence: what it waits for, and what was lost."""

import sys
from typing import NoReturn

import click
import structlog
from structlog.typing import EventDict

from twf_async.cli.status_table import span
from twf_async.fetch.errors import DiskFailed, NoSpace

_GIVEN_UP = ("pipeline.source_given_up", "pipeline.cache_given_up")
_BY = "chrony, systemd-timesyncd"
_OR = "or name another cache_dir, in service.toml or as TWF_CACHE_DIR"
_MENDS = {NoSpace.reason: f"make room, {_OR}", DiskFailed.reason: f"mend that, {_OR}"}


def say(sentence: str) -> None:
    """A sentence on stderr; on a terminal in place of the progress bar, which is drawn again."""
    click.echo(f"\r\x1b[K{sentence}" if sys.stderr.isatty() else sentence, err=True)


class Trouble:
    """A processor in place of the log: says each trouble once, and drops the lines."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._given_up = False

    def __call__(self, _: object, __: str, event: EventDict) -> NoReturn:
        """Say what an event means to whoever waits, if it does."""
        self._given_up |= event["event"] in _GIVEN_UP
        of_machine = _of_cache(event) or _of_clock(event)
        sentence = of_machine or self._sentence(event)
        # Of a cache that takes nothing each hour names a file of its own, of the clock each source.
        matter = str(event["reason"]) if of_machine else sentence
        if sentence and matter not in self._said:
            self._said.add(matter)
            say(sentence)
        raise structlog.DropEvent

    def _sentence(self, event: EventDict) -> str:
        """What an event means; "" where nobody waits for it."""
        detail = str(event.get("detail") or event.get("reason") or "")
        match event["event"]:
            case "fetch.retried" | "fetch.failed" if event.get("pause_s") and not self._given_up:
                return f"{detail}; it is asked again"
            case "fetch.throttled" if not self._given_up:
                return f"{event['source']} asks to be left alone for a while ({detail})"
            case "pipeline.source_given_up":
                return f"given up, for no hour has come for {event['silent_s']} s: {detail}"
            case "ledger.set_aside":
                where = event["path"]
                return f"the ledger was damaged ({detail}): it is now {where}, another is begun"
            case "ledger.not_kept":
                return (
                    f"the ledger {event['path']} cannot be kept ({detail}); the maps do not need it"
                )
        return ""


def _of_cache(event: EventDict) -> str:
    """What is wrong with the cache, and the mend, where an event tells that; else ""."""
    mend = _MENDS.get(str(event.get("reason")))
    if mend is None or event["event"] not in ("fetch.failed", "pipeline.cache_given_up"):
        return ""
    return f"the cache takes nothing, {event['detail']}; {mend}"


def _of_clock(event: EventDict) -> str:
    """How far the machine's clock is off, where an event tells that; else ""."""
    if event["event"] != "fetch.clock_off":
        return ""
    ahead_s = event["ahead_s"]
    off = f"{span(abs(ahead_s))} {'ahead of' if ahead_s > 0 else 'behind'}"
    return f"this machine's clock is {off} that of {event['source']}; set it ({_BY})"
