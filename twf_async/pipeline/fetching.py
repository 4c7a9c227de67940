"""Brings the files of one run's hours: looks whether one is there, takes it, notes what it was."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from render_farm.domain.fields import MessageKey
from render_farm.domain.jobs import RegionView
from render_farm.domain.places import Box
from twf_async.errors import FetchError
from twf_async.fetch.errors import NotYetPublished
from twf_async.fetch.fetched import HourFetched, HourWanted
from twf_async.pipeline.course import Course
from twf_async.pipeline.editions import Editions
from twf_async.pipeline.entries import fetched_entry
from twf_async.pipeline.frames import RunFrames
from twf_async.pipeline.opening import RunPlan, files_wanted
from twf_async.pipeline.outlook import Outlook
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.setbacks import Setbacks
from twf_async.plan import schedule
from twf_async.plan.boxes import union
from twf_async.plan.orders import ProductOrder
from twf_async.publish.manifest import FrameState


class HourFetching:
    """Fetches hours of one run, each when told to.

    paths        hour -> message -> file
    taken        hour -> how often its files came
    """

    def __init__(
        self,
        cycle: str,
        plan: RunPlan,
        course: Course,
        shop: Workshop,
        frames: RunFrames,
        *,
        outlook: Outlook,
        editions: Editions,
        setbacks: Setbacks,
        views: Callable[[], Awaitable[tuple[RegionView, ...]]],
    ) -> None:
        """views: what the run's regions really show."""
        self.paths: dict[int, dict[MessageKey, str]] = {}
        self.taken: Counter[int] = Counter()
        self._cycle, self._plan, self._course = cycle, plan, course
        self._shop, self._frames = shop, frames
        self._outlook, self._editions, self._views = outlook, editions, views
        self._setbacks = setbacks
        self._wanted: dict[int, frozenset[MessageKey]] = {}
        self._seen: tuple[RegionView, ...] = ()
        self._box: Box | None = None

    def want(self, waiting: Mapping[int, tuple[ProductOrder, ...]]) -> tuple[int, ...]:
        """Take what these products need; returns the hours of the files."""
        wanted = files_wanted(waiting)
        self._wanted |= wanted  # an hour that is on its way may not be needed any more
        return tuple(wanted)

    async def prepare(self) -> None:
        """Find out which box all regions lie in; to be awaited before anything is fetched."""
        if self._box is None:
            self._seen = await self._views()
            self._box = union(view.box for view in self._seen)

    async def fetch(self, hour: int) -> None:
        """Take an hour if it is there."""
        shop = self._shop
        by_hand = shop.gate.is_paused_by_hand
        await shop.gate.wait_fetch()
        if by_hand:
            self._frames.freshness.interrupted()
        taking = False
        products = [order.product.key for order in self._course.progress.waiting.get(hour, ())]
        try:
            await self._look(hour)
            taking = True
            self._outlook.forget(hour)
            self._frames.mark(hour, products, FrameState.FETCHING)
            got = await shop.fetcher.hour(self._want(hour))
        except FetchError as error:
            if taking:
                self._frames.mark(hour, products, FrameState.EXPECTED)
            paths = await self._setbacks.met(self._want(hour), self._seen, error)
            self._keep(hour, paths)
        else:
            await self._fetched(hour, got)

    async def _look(self, hour: int) -> None:
        """Find out whether the hour is there, and since when.

        raises  NotYetPublished; of other faults whoever downloads knows better how often to retry
        """
        try:
            seen = await self._shop.fetcher.appeared(self._plan.model, self._cycle, hour)
        except NotYetPublished:
            raise
        except FetchError:
            return
        self._editions.seen(hour, seen.inventory)
        await self._outlook.came(hour, seen)

    def _want(self, hour: int) -> HourWanted:
        if self._box is None:
            raise RuntimeError("files are wanted before the box is known")
        keys, splits = self._wanted[hour], self._course.progress.splits
        return HourWanted(self._plan.model, self._cycle, hour, keys, self._box, splits)

    async def _fetched(self, hour: int, got: HourFetched) -> None:
        paths = {key: path for path, keys in got.files for key in keys}
        self._keep(hour, paths)
        self.taken[hour] += got.method != "CACHED"  # what was here already has not come anew
        progress = self._course.progress
        missing = self._wanted[hour] - paths.keys()
        self._course.progress = schedule.fetched(progress, hour, missing, requests=got.requests)
        found = self._frames.freshness.fetched(hour)
        self._editions.seen(hour, got.inventory)
        inventory = self._editions.note_of(hour)
        entry = fetched_entry(got, self._shop.clock.now(), inventory, found)
        await self._shop.ledger.record_hours([entry])

    def _keep(self, hour: int, paths: Mapping[MessageKey, str]) -> None:
        # Jobs that wait for a worker may need fields that were not wanted again.
        self.paths[hour] = {**self.paths.get(hour, {}), **paths}
