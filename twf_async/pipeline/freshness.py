"""How long the hours of one run take from the other side to the browser.

Counted is an hour that was waited for: this process has looked out for it without a break since
before it came. What was found late because the service was down, was paused by hand, or because
somebody asked for an old run says nothing of how quick the service is. Of an hour its first drawing
counts, up to the last frame of it; pictures drawn again for a reload or for replaced files do not.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from twf_async.clock import Clock
from twf_async.fetch.fetched import Appearance
from twf_async.ledger.entries import FreshnessEntry, HourEntry
from twf_async.plan.arrivals import arrived_at
from twf_async.publish.manifest import FrameState


@dataclass(slots=True)
class _Times:
    """One hour's times, as far as they are known."""

    seen_at: datetime | None = None
    upstream_at: datetime | None = None
    visible_at: datetime | None = None
    fetched_at: datetime | None = None
    rendered_at: datetime | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """When an hour was found, and its Last-Modified; None where that is not known."""

    seen_at: datetime | None
    upstream_at: datetime | None


UNKNOWN = Found(None, None)


class RunFreshness:
    """Told of every step of a run's hours; hands on what is known once an hour is online."""

    def __init__(
        self,
        model: str,
        cycle: str,
        clock: Clock,
        *,
        since: datetime | None,
        fresh: Callable[[FreshnessEntry], Awaitable[None]],
    ) -> None:
        """since: hours have been looked out for since then; None: nobody waits for them.

        fresh  is given each hour that was waited for and is online, once
        """
        self._model, self._cycle, self._clock = model, cycle, clock
        self._since, self._fresh = since, fresh
        self._hours: dict[int, _Times] = {}
        self._done: set[int] = set()

    def known(self, hours: Iterable[int]) -> None:
        """Something of these is online already: theirs was an earlier start's to tell."""
        self._done.update(hours)

    def interrupted(self) -> None:
        """Nobody looked for a while: what came before now was not waited for."""
        if self._since is not None:
            self._since = self._clock.now()

    def seen(self, hour: int, seen: Appearance, missed_at: datetime | None) -> None:
        """An hour was found; the first time counts. missed_at: the last look for it in vain."""
        times = self._hours.setdefault(hour, _Times())
        if times.seen_at is not None:
            return
        now = self._clock.now()
        times.seen_at = now
        modified_at = seen.modified_at
        came = arrived_at(self._cycle, seen_at=now, missed_at=missed_at, modified_at=modified_at)
        if came is not None and modified_at is not None:
            times.visible_at, times.upstream_at = came, min(modified_at, came)

    def fetched(self, hour: int) -> Found:
        """Its files are here; returns what is known of how they were found."""
        times = self._hours.setdefault(hour, _Times())
        times.fetched_at = self._clock.now()
        return Found(times.seen_at, times.upstream_at)

    def online(self, hour: int, rendered_at: datetime) -> None:
        """Frames of it are online."""
        times = self._hours.setdefault(hour, _Times())
        times.rendered_at, times.published_at = rendered_at, self._clock.now()

    async def settled(self, hour: int) -> HourEntry | None:
        """No frame of it is to come any more; returns what to note of it, None where none came."""
        times = self._hours.pop(hour, _Times())
        if times.rendered_at is None or times.published_at is None:
            return None
        if hour not in self._done:
            self._done.add(hour)
            await self._tell(hour, times)
        return HourEntry(
            self._model,
            self._cycle,
            hour,
            FrameState.PUBLISHED.value,
            rendered_at=times.rendered_at,
            published_at=times.published_at,
        )

    async def _tell(self, hour: int, times: _Times) -> None:
        visible_at = times.visible_at
        if self._since is None or visible_at is None or visible_at < self._since:
            return
        moments = (
            times.upstream_at,
            visible_at,
            times.seen_at,
            times.fetched_at,
            times.rendered_at,
            times.published_at,
        )
        known = [at for at in moments if at is not None]
        if len(known) == len(moments):
            await self._fresh(FreshnessEntry(self._model, self._cycle, hour, *known))
