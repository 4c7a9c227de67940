"""What of a command's log is worth a sentence: what it waits for, and what was lost."""

import sys
from typing import NoReturn

import click
import structlog
from structlog.typing import EventDict


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
        sentence = self._sentence(event)
        if sentence and sentence not in self._said:
            self._said.add(sentence)
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
                self._given_up = True
                return f"given up, for nothing has come for {event['silent_s']} s: {detail}"
            case "ledger.set_aside":
                where = event["path"]
                return f"the ledger was damaged ({detail}): it is now {where}, another is begun"
            case "ledger.not_kept":
                return (
                    f"the ledger {event['path']} cannot be kept ({detail}); the maps do not need it"
                )
        return ""
