"""Brings the files of one run's hours: looks whether an hour is there, takes it, notes what it was.

What an answer means is plan/schedule.py's; this carries it out, and learns from it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import structlog

from render_farm.domain.fields import MessageKey
from render_farm.domain.places import Box
from twf_async.errors import FetchError
from twf_async.fetch.errors import NotYetPublished
from twf_async.fetch.fetched import HourFetched, HourWanted
from twf_async.pipeline.course import Course
from twf_async.pipeline.entries import (
    fetched_entry,
    given_up_entry,
    redrawn_entry,
    replaced_entry,
)
from twf_async.pipeline.frames import RunFrames
from twf_async.pipeline.opening import RunPlan, files_wanted
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.timing import RunTiming
from twf_async.plan import etas, reruns, schedule
from twf_async.plan.orders import ProductOrder
from twf_async.plan.progress import FileStatus
from twf_async.publish.manifest import FrameState


class HourFetching:
    """Fetches hours of one run, each when told to.

    paths        hour -> message -> file
    taken        hour -> how often its files came
    inventories  hour -> digest of the inventories that it was taken by
    owing        hours whose files were replaced, and whose pictures are not drawn again yet
    suspicious   an hour came so late that earlier ones may have been replaced meanwhile
    """

    def __init__(
        self, cycle: str, plan: RunPlan, course: Course, shop: Workshop, frames: RunFrames
    ) -> None:
        self.paths: dict[int, dict[MessageKey, str]] = {}
        self.taken: Counter[int] = Counter()
        self.inventories: dict[int, str] = {}
        self.owing: set[int] = set()
        self.suspicious = False
        self.timing = RunTiming(plan.model, cycle, shop.ledger)
        self._cycle, self._plan, self._course = cycle, plan, course
        self._shop, self._frames = shop, frames
        self._wanted: dict[int, frozenset[MessageKey]] = {}
        self._box: Box | None = None
        self._told: dict[int, etas.Moment] = {}
        self._late: set[int] = set()
        self._log = structlog.get_logger(component="pipeline").bind(
            model=plan.model.key, cycle=cycle
        )

    async def open(self) -> None:
        """Recall what earlier runs, and an earlier start of this one, have shown."""
        await self.timing.open()
        for entry in await self._shop.ledger.hours(self._plan.model.key, self._cycle):
            digest, owing = reruns.noted(entry.inventory or "")
            if digest:
                self.inventories[entry.hour] = digest
            if owing:
                self.owing.add(entry.hour)

    def want(self, waiting: Mapping[int, tuple[ProductOrder, ...]]) -> tuple[int, ...]:
        """Take what these products need; returns the hours of the files."""
        wanted = files_wanted(waiting)
        self._wanted |= wanted  # an hour that is on its way may not be needed any more
        return tuple(wanted)

    @property
    def is_cut(self) -> bool:
        """Whether the box is known."""
        return self._box is not None

    def cut_to(self, box: Box) -> None:
        """Take what lies in *box*."""
        self._box = box

    def expect(self) -> None:
        """Look for each hour when it is likely to come, and tell viewers when that is."""
        progress = self._course.progress
        pending = (h for h, s in progress.files.items() if s.status is FileStatus.PENDING)
        self._course.progress = schedule.expecting(
            progress, self.timing.windows(pending), chance=self._shop.chance()
        )
        self._tell()

    async def owe(self, hours: Iterable[int]) -> None:
        """These were replaced: drop what is here of them, and note that before and until redrawn.

        Hours that were taken anew before a restart are here already.
        """
        model, fresh = self._plan.model, set(hours) - self.owing
        self.owing |= fresh
        for hour in fresh:
            self.inventories.pop(hour, None)
        entries = (replaced_entry(model.key, self._cycle, hour) for hour in sorted(fresh))
        await self._shop.ledger.record_hours(entries)
        for hour in sorted(self.owing - self.inventories.keys()):
            await self._shop.fetcher.forget(model, self._cycle, hour)

    async def pay(self, hours: Iterable[int]) -> None:
        """All that the new files of these go into is settled."""
        done = sorted(self.owing.intersection(hours))
        self.owing.difference_update(done)
        await self._shop.ledger.record_hours(
            redrawn_entry(self._plan.model.key, self._cycle, hour, self.inventories.get(hour, ""))
            for hour in done
        )

    async def fetch(self, hour: int) -> None:
        """Take an hour if it is there."""
        if self._box is None:
            raise RuntimeError("files are wanted before the box is known")
        shop, products = self._shop, self._products(hour)
        by_hand = shop.gate.is_paused_by_hand
        await shop.gate.wait_fetch()
        if by_hand:
            self._frames.freshness.interrupted()
        taking = False
        try:
            await self._look(hour)
            taking = True
            self._told.pop(hour, None)
            self._frames.mark(hour, products, FrameState.FETCHING)
            got = await shop.fetcher.hour(self._want(hour, self._box))
        except FetchError as error:
            if taking:
                self._frames.mark(hour, products, FrameState.EXPECTED)
            await self._not_fetched(hour, error)
        else:
            await self._fetched(hour, got)

    async def _look(self, hour: int) -> None:
        """Find out whether the hour is there, and since when.

        raises  NotYetPublished; of other faults whoever downloads knows better how often to retry
        """
        shop, course = self._shop, self._course
        try:
            seen = await shop.fetcher.appeared(self._plan.model, self._cycle, hour)
        except NotYetPublished:
            raise
        except FetchError:
            return
        if seen.inventory:
            self.inventories[hour] = seen.inventory
        state, window = course.progress.files[hour], course.progress.windows.get(hour)
        self._frames.freshness.seen(hour, seen, state.missed_at)
        arrival = await self.timing.came(
            hour, seen, seen_at=shop.clock.now(), missed_at=state.missed_at
        )
        self.suspicious |= reruns.paused(window, arrival)
        at = None if arrival is None else arrival.at
        course.progress = schedule.came(course.progress, hour, at)
        self.expect()

    def _want(self, hour: int, box: Box) -> HourWanted:
        keys, splits = self._wanted[hour], self._course.progress.splits
        return HourWanted(self._plan.model, self._cycle, hour, keys, box, splits)

    async def _fetched(self, hour: int, got: HourFetched) -> None:
        paths = {key: path for path, keys in got.files for key in keys}
        # Jobs that wait for a worker may need fields that were not wanted again.
        self.paths[hour] = self.paths.get(hour, {}) | paths
        self.taken[hour] += got.method != "CACHED"  # what was here already has not come anew
        progress = self._course.progress
        missing = self._wanted[hour] - paths.keys()
        self._course.progress = schedule.fetched(progress, hour, missing, requests=got.requests)
        inventory = self.inventories.get(hour)
        if hour in self.owing:
            inventory = reruns.owed(inventory or "")
        found = self._frames.freshness.fetched(hour)
        entry = fetched_entry(got, self._shop.clock.now(), inventory, found)
        await self._shop.ledger.record_hours([entry])

    async def _not_fetched(self, hour: int, error: FetchError) -> None:
        clock, course = self._shop.clock, self._course
        now, retry_s = clock.now(), error.retry_after_s
        if isinstance(error, NotYetPublished):
            chance = self._shop.chance()
            self._note_late(hour, now, error.reason)
            course.progress = schedule.absent(course.progress, hour, now, chance=chance)
        else:
            course.progress = schedule.failed(
                course.progress,
                hour,
                now,
                reason=error.reason,
                detail=str(error),
                # Back-offs are real seconds, the plan counts in those of the clock.
                retry_s=None if retry_s is None else retry_s * clock.speed,
                holds_run=error.holds_run,
            )
        self._tell()
        state = course.progress.files[hour]
        if state.status is FileStatus.GIVEN_UP:
            await self.note_given_up([hour])

    def _note_late(self, hour: int, now: datetime, reason: str) -> None:
        """Say once of an hour that it should have come."""
        window = self._course.progress.windows.get(hour)
        if window is None or hour in self._late or now <= window.high + schedule.OVERDUE:
            return
        self._late.add(hour)
        late_s = (now - window.high).total_seconds()
        self._log.info("pipeline.hour_late", hour=hour, reason=reason, late_s=round(late_s))

    async def note_given_up(self, hours: list[int]) -> None:
        """Say of hours that they will not come."""
        files = self._course.progress.files
        for hour in hours:
            state = files[hour]
            self._log.error(
                "pipeline.hour_given_up", hour=hour, reason=state.reason, detail=state.detail
            )
        await self._shop.ledger.record_hours(
            given_up_entry(self._plan.model.key, self._cycle, hour, files[hour]) for hour in hours
        )

    def _tell(self) -> None:
        now, progress = self._shop.clock.now(), self._course.progress
        news = etas.worth_telling(self._told, etas.etas(progress, now), now)
        for hour, eta in news.items():
            self._frames.mark(hour, self._products(hour), FrameState.EXPECTED, eta=eta)
        self._told |= news

    def _products(self, hour: int) -> list[str]:
        waiting = self._course.progress.waiting.get(hour, ())
        return [order.product.key for order in waiting]
