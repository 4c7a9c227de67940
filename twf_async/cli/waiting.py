"""Waits for a run that the running service works through, for as long as there is patience."""

import time
from collections.abc import Callable

import click

from twf_async.app.control.handed_over import HandedOver
from twf_async.cli.progress import bar
from twf_async.cli.trouble import say
from twf_async.errors import INCOMPLETE, TwfError
from twf_async.pipeline.report import RunCount, RunReport


class StillComing(TwfError):
    """The service has brought nothing of a run for long; it goes on with it."""

    exit_code = INCOMPLETE


def wait_for(run: HandedOver, patience_s: float) -> RunReport | None:
    """Show how the service gets on with a run; None when told to end before it has.

    raises  StillComing where nothing comes for *patience_s*; ServiceEnded, NoControl
    """
    name = f"{run.model} {run.cycle}"
    doing = "works through" if run.begun else "is working on"
    click.echo(f"the running service (process {run.pid}) {doing} {name}", err=True)
    try:
        return run.followed(_Patience(name, patience_s, bar()), _tell_hold)
    except KeyboardInterrupt:
        say(_goes_on(name))
        return None


class _Patience:
    """Passes on how far a run is, and ends the waiting where that stays as it is."""

    def __init__(
        self, name: str, patience_s: float, on_progress: Callable[[RunCount], None] | None
    ) -> None:
        self._name, self._patience_s, self._on_progress = name, patience_s, on_progress
        self._count: RunCount | None = None
        self._since_s = time.monotonic()

    def __call__(self, count: RunCount) -> None:
        if self._on_progress is not None:
            self._on_progress(count)
        now_s = time.monotonic()
        if count != self._count:
            self._count, self._since_s = count, now_s
        elif now_s - self._since_s >= self._patience_s:
            raise StillComing(
                f"nothing of {self._name} has come for {self._patience_s:g} s"
                f" ({count.published} of {count.expected} frames are there); {_goes_on(self._name)}"
            )


def _goes_on(name: str) -> str:
    return f"{name} goes on in the service; `twf-async status` shows how far it is"


def _tell_hold(reason: str) -> None:
    say(f"the service waits: {reason}" if reason else "the service goes on")
