"""What the watchdog did: a log line with the figures, a count, and the last of them for status."""

from collections import deque

import structlog

from twf_async.clock import Clock
from twf_async.upkeep.metrics import count_change
from twf_async.upkeep.vitals import Vitals

KEPT = 20


class Diary:
    """Takes changes of state as a logger takes events, with the look that led to them, if any."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._recent: deque[dict[str, object]] = deque(maxlen=KEPT)
        self._log = structlog.get_logger(component="watchdog")

    def info(self, event: str, vitals: Vitals | None, **facts: object) -> None:
        """Something is better."""
        self._log.info(event, **facts, **self._note(event, vitals, facts))

    def warning(self, event: str, vitals: Vitals | None, **facts: object) -> None:
        """Something is worse."""
        self._log.warning(event, **facts, **self._note(event, vitals, facts))

    def error(self, event: str, vitals: Vitals | None, **facts: object) -> None:
        """Frames will be late or missing."""
        self._log.error(event, **facts, **self._note(event, vitals, facts))

    def recent(self) -> list[dict[str, object]]:
        """The last changes, newest first."""
        return list(reversed(self._recent))

    def _note(
        self, event: str, vitals: Vitals | None, facts: dict[str, object]
    ) -> dict[str, float | None]:
        figures = {} if vitals is None else vitals.figures()
        self._recent.append({"at": self._clock.now(), "event": event, **facts, **figures})
        count_change(event)
        return figures
