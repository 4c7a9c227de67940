"""Works a run off: fetches ahead, draws what is ready, until every frame is settled.

The decisions are plan/turns.py's, schedule.py's and readiness.py's; this carries them out.
"""

import asyncio
from collections.abc import Callable

from twf_async.errors import TwfError
from twf_async.pipeline.drawing import DiskFull
from twf_async.pipeline.parts import RunParts
from twf_async.plan import readiness, schedule, turns
from twf_async.plan.progress import Drawable

JOBS_AT_ONCE = 8  # handed to the farm, which has fewer slots; keeps its queue fair to other runs
NO_ROOM_PAUSE_S = 30.0  # until an hour that found the disk full is drawn again


class RunStuck(TwfError):
    """Frames are left to draw and nothing can bring them: a fault in the plan."""


class RunWork:
    """One run's work.

    draining  nothing more is started
    no_room   why the disk took no frames when it was last tried; "" where it did
    """

    def __init__(self, parts: RunParts, tell: Callable[[], None]) -> None:
        """tell: called whenever anything may have got on."""
        self.draining = False
        self.no_room = ""
        self._tell = tell
        self._request, self._shop, self._course = parts.request, parts.shop, parts.course
        self._tasks, self._frames = parts.tasks, parts.frames
        self._drawing, self._fetching = parts.drawing, parts.fetching
        self._outlook, self._mistrust, self._redoing = parts.outlook, parts.mistrust, parts.redoing
        self._job_places = asyncio.Semaphore(JOBS_AT_ONCE)

    def drain(self) -> None:
        """Start nothing more; jobs that only wait for a worker are dropped."""
        self.draining = True
        self._tasks.drop_others()

    async def go_on(self) -> None:
        """Until every frame is settled, or drained."""
        while not self.draining:
            await self._mistrust.settle()
            if self._course.progress.finished and not self._mistrust.pending:
                break
            if self._outlook.suspicious and not self._tasks:
                await self._redoing.recheck()
            if self.draining:  # meanwhile
                break
            self._draw_what_is_ready()
            self._fetch_what_is_due()
            self._tell()
            await self._pause()

    async def finish(self) -> None:
        """Wait for the jobs that workers have."""
        while self._tasks.binding:
            await self._pause()

    def _draw_what_is_ready(self) -> None:
        for drawable in readiness.to_draw(self._course.progress):
            self._course.progress = readiness.handed_out(self._course.progress, drawable)
            self._tasks.spawn(self._draw(drawable), f"draw:{drawable.hour}")

    def _fetch_what_is_due(self) -> None:
        for hour in turns.to_fetch(self._course.progress, self._shop.clock.now()):
            self._course.progress = schedule.fetching(self._course.progress, hour)
            self._tasks.spawn(self._fetching.fetch(hour), f"fetch:{hour}")

    async def _pause(self) -> None:
        """Sleep until a task ends, someone wakes us, or the next look is due."""
        delay_s: float | None = None
        if not self.draining:
            now = self._shop.clock.now()
            look = turns.next_look(self._course.progress, now)
            if look is not None:
                delay_s = self._shop.clock.real_seconds((look - now).total_seconds())
            elif not self._tasks and not self._tasks.woken:
                raise RunStuck(f"{self._request.model} {self._request.cycle} cannot go on")
        await self._tasks.sleep(delay_s)

    async def _draw(self, drawable: Drawable) -> None:
        await self._frames.fail(drawable)
        while drawable.orders and not await self._has_drawn(drawable):
            self._tasks.unbind()
            await asyncio.sleep(self._shop.clock.real_seconds(NO_ROOM_PAUSE_S))

    async def _has_drawn(self, drawable: Drawable) -> bool:
        """Draw and publish; False where the disk is full."""
        by_hand = self._shop.gate.is_paused_by_hand
        async with self._job_places, self._shop.gate.passage():
            if by_hand:
                self._frames.freshness.interrupted()
            taken = dict(self._fetching.taken)
            try:
                spoilt = await self._drawing.draw(
                    drawable, self._fetching.paths, begun=self._tasks.bind
                )
            except DiskFull as full:
                self.no_room = str(full)
                return False
        self.no_room = ""
        self._course.progress = readiness.drawn(self._course.progress, drawable)
        if spoilt is not None:
            self._mistrust.note(spoilt, taken)
        else:
            await self._redoing.settled()
        return True
