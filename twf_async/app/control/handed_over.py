"""Runs that a command hands to the service: the command's side."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from twf_async.app.control.client import BrokeOff, ask
from twf_async.app.control.place import NobodyListens
from twf_async.errors import TwfError
from twf_async.pipeline.report import MissingFrame, RunCount, RunReport, RunRequest
from twf_async.publish.manifest import RunState

LOOK_S = 0.5


class ServiceEnded(TwfError):
    """The service stopped, or was started anew, before the run was done."""


class HandedOver:
    """A run that a running service works through.

    goes  whether it was too old to stay when it was done
    """

    def __init__(self, state_dir: Path, body: dict[str, Any], answer: dict[str, Any]) -> None:
        self.model, self.cycle = str(body["model"]), str(answer["cycle"])
        self.pid, self.begun = int(answer["pid"]), bool(answer["begun"])
        self._state_dir, self._body = state_dir, {**body, "cycle": self.cycle}
        self._published_before = int(answer["published"])
        self.goes = False

    def followed(
        self, on_progress: Callable[[RunCount], None] | None, on_hold: Callable[[str], None]
    ) -> RunReport:
        """Wait until nothing more of it is to come now. Blocking.

        on_hold  told why the service works on nothing whenever that changes; "" when it goes on
        raises   ServiceEnded; NoControl where the service does not answer
        """
        began, held = time.monotonic(), ""
        while True:
            look = self._look()
            count = RunCount(**look["count"])
            if on_progress is not None:
                on_progress(count)
            if look["held"] != held:
                held = look["held"]
                on_hold(held)
            if look["done"]:
                break
            time.sleep(LOOK_S)
        self.goes = bool(look["goes"])
        missing = tuple(MissingFrame(**frame) for frame in look["missing"])
        return RunReport(
            self.model,
            self.cycle,
            RunState.PARTIAL if missing else RunState.COMPLETE,
            count.expected,
            count.published,
            max(0, count.published - self._published_before),
            count.not_applicable,
            missing,
            time.monotonic() - began,
        )

    def _look(self) -> dict[str, Any]:
        try:
            look = ask(self._state_dir, "progress", self._body)
        except (NobodyListens, BrokeOff):
            look = {}
        if look.get("pid") != self.pid:
            raise ServiceEnded(
                f"the service ended before {self.model} {self.cycle} was done; start the command"
                " again once it runs: it goes on by itself, and nothing is fetched or drawn twice"
            )
        return look


def hand_over(state_dir: Path, publish_dir: Path | None, request: RunRequest) -> HandedOver | None:
    """Give a run to the service with this state; None where none runs.

    publish_dir  where the maps are to be; None: wherever the service has them
    raises  Refused where it would not, NoControl where it does not answer
    """
    body = {**asdict(request), "publish_dir": publish_dir and str(publish_dir.resolve())}
    try:
        answer = ask(state_dir, "run", body)
    except NobodyListens:
        return None
    return HandedOver(state_dir, body, answer)
