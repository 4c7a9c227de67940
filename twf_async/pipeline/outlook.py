"""When a run's pending hours are looked for, and what viewers are told of that."""

from collections.abc import Callable
from datetime import datetime

import structlog

from render_farm.domain.models import Model
from twf_async.clock import Clock
from twf_async.fetch.fetched import Appearance
from twf_async.ledger.ledger import Ledger
from twf_async.pipeline.course import Course
from twf_async.pipeline.frames import RunFrames
from twf_async.pipeline.timing import RunTiming
from twf_async.plan import etas, reruns, schedule, turns
from twf_async.plan.progress import FileStatus
from twf_async.publish.manifest import FrameState


class Outlook:
    """What is expected of one run's hours; grows sharper with every hour that comes.

    suspicious   an hour came so late that earlier ones may have been replaced meanwhile
    """

    def __init__(
        self,
        model: Model,
        cycle: str,
        course: Course,
        frames: RunFrames,
        *,
        ledger: Ledger,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        """chance: 0 to 1, spreads looks."""
        self.suspicious = False
        self._timing = RunTiming(model, cycle, ledger)
        self._course, self._frames, self._clock, self._chance = course, frames, clock, chance
        self._told: dict[int, etas.Moment] = {}
        self._late: set[int] = set()
        self._log = structlog.get_logger(component="pipeline").bind(model=model.key, cycle=cycle)

    async def open(self) -> None:
        """Recall what earlier runs, and an earlier start of this one, have shown."""
        await self._timing.open()

    @property
    def progressed_at(self) -> datetime | None:
        """Since when the last hour that came is there."""
        return self._timing.progressed_at

    def look_ahead(self) -> None:
        """Look for each hour when it is likely to come, and tell viewers when that is."""
        progress = self._course.progress
        pending = (h for h, s in progress.files.items() if s.status is FileStatus.PENDING)
        self._course.progress = schedule.expecting(
            progress, self._timing.windows(pending), chance=self._chance()
        )
        self.tell()

    async def came(self, hour: int, seen: Appearance) -> None:
        """An hour is there: learn from it when the next ones will be."""
        progress = self._course.progress
        state, window = progress.files[hour], progress.windows.get(hour)
        self._frames.freshness.seen(hour, seen, state.missed_at)
        arrival = await self._timing.came(
            hour, seen, seen_at=self._clock.now(), missed_at=state.missed_at
        )
        self.suspicious |= reruns.paused(window, arrival)
        at = None if arrival is None else arrival.at
        self._course.progress = schedule.came(self._course.progress, hour, at)
        self.look_ahead()

    def note_late(self, hour: int, reason: str) -> None:
        """An hour is not there yet; where it should have come by now, say so once."""
        now, window = self._clock.now(), self._course.progress.windows.get(hour)
        if window is None or hour in self._late or now <= window.high + turns.OVERDUE:
            return
        self._late.add(hour)
        late_s = (now - window.high).total_seconds()
        self._log.info("pipeline.hour_late", hour=hour, reason=reason, late_s=round(late_s))

    def forget(self, hour: int) -> None:
        """Nobody is told any more when the hour is expected."""
        self._told.pop(hour, None)

    def tell(self) -> None:
        """Tell viewers when hours are expected, where that has changed."""
        now, progress = self._clock.now(), self._course.progress
        news = etas.worth_telling(self._told, etas.etas(progress, now), now)
        for hour, eta in news.items():
            products = [order.product.key for order in progress.waiting.get(hour, ())]
            self._frames.mark(hour, products, FrameState.EXPECTED, eta=eta)
        self._told |= news
