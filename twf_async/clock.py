"""The one clock. Tests and the replica drive it: it may start elsewhere and run faster.

Wall-clock questions (which run is due, how old is a file's Last-Modified) go here. Time-outs and
back-offs are the event loop's affair and stay in real seconds.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Clock:
    """Aware UTC time that starts at *start* (default: now) and runs *speed* times as fast."""

    start: datetime | None = None
    speed: float = 1.0
    _origin: float = field(default_factory=time.time)

    def now(self) -> datetime:
        """The time, UTC."""
        if self.start is None and self.speed == 1.0:
            return datetime.now(UTC)
        elapsed = (time.time() - self._origin) * self.speed
        base = self.start or datetime.fromtimestamp(self._origin, UTC)
        return base + timedelta(seconds=elapsed)

    def real_seconds(self, seconds: float) -> float:
        """How long to really sleep so that *seconds* pass on this clock."""
        return seconds / self.speed
