"""What happens while runs come in, told to whoever listens (the web's event stream, the CLI).

Nobody who listens can slow the service: every subscriber has a queue of its own, and one that does
not keep up loses its oldest events and is told how many (`events.lost`).
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

FRAME_PUBLISHED = "frame.published"
RUN_STARTED = "run.started"
RUN_COMPLETE = "run.complete"
STATUS_CHANGED = "status.changed"
EVENTS_LOST = "events.lost"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; ids rise by one, data is JSON-ready."""

    id: int
    name: str
    data: Mapping[str, object]


class EventBus:
    """Spreads events to bounded queues; `emit` never waits."""

    def __init__(self, *, queue_limit: int = 512) -> None:
        self._queue_limit = queue_limit
        self._subscribers: set[Subscription] = set()
        self._last_id = 0
        self._closed = False

    def emit(self, name: str, data: Mapping[str, object]) -> Event:
        """Hand an event to everyone who listens now."""
        self._last_id += 1
        event = Event(self._last_id, name, data)
        for subscriber in self._subscribers:
            subscriber.offer(event)
        return event

    def subscribe(self, *, limit: int | None = None) -> "Subscription":
        """Listen from now on: `async with bus.subscribe() as events: async for event in events`."""
        subscription = Subscription(self._subscribers, limit or self._queue_limit)
        if self._closed:
            subscription.close()
        return subscription

    @property
    def subscribers(self) -> int:
        """How many listen now."""
        return len(self._subscribers)

    def close(self) -> None:
        """End every subscription once it has read what is queued; later ones end at once."""
        self._closed = True
        for subscriber in tuple(self._subscribers):
            subscriber.close()


class Subscription:
    """One listener's queue of at most *limit* events; the oldest go first when it is full."""

    def __init__(self, members: set["Subscription"], limit: int) -> None:
        self._members = members
        self._queue: deque[Event] = deque(maxlen=limit)
        self._lost = 0
        self._closed = False
        self._woken = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Queue an event; called by the bus only."""
        if len(self._queue) == self._queue.maxlen:
            self._lost += 1
        self._queue.append(event)
        self._woken.set()

    def close(self) -> None:
        """Take no further events; what is queued can still be read."""
        self._members.discard(self)
        self._closed = True
        self._woken.set()

    async def get(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when *timeout_s* passed without one, or after the end (`ended`)."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self._queue and not self._closed:
                    self._woken.clear()
                    await self._woken.wait()
        except TimeoutError:
            return None
        if self._lost:
            lost, self._lost = self._lost, 0
            return Event(self._queue[0].id - 1, EVENTS_LOST, {"count": lost})
        return self._queue.popleft() if self._queue else None

    @property
    def ended(self) -> bool:
        """Nothing is queued and nothing will come."""
        return self._closed and not self._queue and not self._lost

    async def __aenter__(self) -> Self:
        if not self._closed:
            self._members.add(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        event = await self.get()
        if event is None:
            raise StopAsyncIteration
        return event
