"""Which source is asked, and when the next one is.

NOMADS first, always: it cuts out boxes, and the mirror only follows it. The mirror is asked for an
hour that NOMADS has failed to give for a while, or at once where NOMADS cannot be reached, has
cleared the run away, only gives whole files or breaks one off at the same byte each time. Where it
was the filter that failed, and no mirror has the model, NOMADS itself is asked for byte ranges.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from render_farm.domain.models import Model
from twf_async.clock import Clock
from twf_async.fetch.errors import (
    FullRefused,
    NotYetPublished,
    SourceError,
    Unreachable,
    Unsettled,
)
from twf_async.fetch.sources import Source

T = TypeVar("T")
Hour = tuple[str, str, int]  # model, cycle, hour
_HOURS_REMEMBERED = 1024
_DOWN = timedelta(seconds=60)


@dataclass(slots=True)
class Outages:
    """Which hours fail at the first source since when, and since when it cannot be reached.

    failing_since  by the hour, and whether it was only looked at
    """

    failing_since: dict[tuple[Hour, bool], datetime] = field(default_factory=dict)
    down_since: datetime | None = None


class Fallback:
    """Decides by what is remembered of outages."""

    def __init__(
        self,
        sources: tuple[Source, ...],
        clock: Clock,
        *,
        after: timedelta,
        outages: Outages | None = None,
    ) -> None:
        """outages: known already, where these sources have been asked before."""
        self._sources = sources
        self._clock = clock
        self._after = after
        self._outages = outages or Outages()
        self._log = structlog.get_logger(component="fetch")

    async def ask(
        self,
        model: Model,
        hour: Hour,
        work: Callable[[Source], Awaitable[T]],
        *,
        looks: bool = False,
    ) -> T:
        """Await *work* at the first source, or at the next one where it is time for it.

        looks   it only finds out whether the hour is there: that a source lists an hour does not
                mend that it cannot give it
        raises  the first source's error where both fail, but Unsettled where the second one has it
        """
        first, *others = self._in_turn(model)
        log = self._log.bind(model=hour[0], cycle=hour[1], hour=hour[2])
        try:
            result = await work(first)
        except SourceError as error:
            is_time = self._is_time((hour, looks), error, mirrored=bool(others))
            if isinstance(error, Unreachable) and first is self._sources[0]:
                self._outages.down_since = self._clock.now()
            if not others and error.of_filter and not isinstance(error, NotYetPublished):
                others = [replace(first, filters=False)]
            if not others or not is_time:
                raise
            log.warning("fetch.fell_back", source=others[0].name, reason=error.reason)
            try:
                return await work(others[0])
            except Unsettled:
                raise
            except SourceError as second:
                if not looks:
                    log.warning(
                        "fetch.fallback_failed",
                        source=others[0].name,
                        reason=second.reason,
                        detail=str(second)[:300],
                    )
                raise error from second
        self._outages.failing_since.pop((hour, looks), None)
        if first is self._sources[0]:
            self._outages.down_since = None
        return result

    def _in_turn(self, model: Model) -> list[Source]:
        """The sources that serve the model; one that was just unreachable comes last."""
        serving = [source for source in self._sources if source.serves(model)]
        down_since = self._outages.down_since
        if down_since is not None and self._clock.now() - down_since < _DOWN:
            serving.reverse()
        return serving

    def _is_time(self, asked: tuple[Hour, bool], error: SourceError, *, mirrored: bool) -> bool:
        now = self._clock.now()
        failing_since = self._outages.failing_since
        since = failing_since.setdefault(asked, now)
        while len(failing_since) > _HOURS_REMEMBERED:
            failing_since.pop(next(iter(failing_since)))
        # Byte ranges of the same source would break off like the filter's answer does.
        lasts = error.at_same_byte and mirrored
        passes = error.retry_after_s is not None and not lasts
        at_once = not passes or isinstance(error, (Unreachable, FullRefused))
        return at_once or now - since >= self._after
