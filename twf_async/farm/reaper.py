"""Sees workers off that are of no use any more, so that no slot has to wait for them.

One in uninterruptible sleep (state D) does not heed SIGKILL before the disk answers. Its slot goes
on with another; what it holds meanwhile is told and counted.
"""

import asyncio
from functools import partial

import structlog

from twf_async.farm.memory import rss_mb
from twf_async.farm.orphans import Orphans
from twf_async.farm.threads import in_thread
from twf_async.farm.worker import Worker

REAP_S = 5.0  # how long a worker may take to end, and again once it was killed
KILLS_S = (0.2, 0.8, 4.0)  # pauses after each kill


class Reaper:
    """Knows the workers that were ended and are still there."""

    def __init__(self) -> None:
        self._stuck: dict[int, int] = {}  # pid -> slot
        self._orphans = Orphans()
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger(component="farm")

    def stuck(self, slot: int) -> list[int]:
        """The processes that a slot has killed in vain."""
        return [pid for pid, owner in self._stuck.items() if owner == slot]

    @property
    def stuck_mb(self) -> float:
        """What those of all slots hold."""
        return sum(rss_mb(pid) for pid in self._stuck)

    def take(self, worker: Worker, slot: int, *, kill: bool) -> "asyncio.Future[None]":
        """End a worker, at once if *kill*; done when it has ended. Never blocks, never raises."""
        self._orphans.bury()
        for process in worker.processes:
            self._orphans.note(process)
        if kill:
            worker.kill()
        try:
            thread = in_thread(f"reaper-{slot}", partial(worker.end, kill=kill))
        except RuntimeError:  # no threads left: killed and forgotten, it ends by itself
            worker.kill()
            gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            gone.set_result(None)
            return gone
        ended = asyncio.wrap_future(thread)
        task = asyncio.create_task(self._see_off(worker, slot, ended, killed=kill), name="see-off")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        ended.add_done_callback(lambda _: self._orphans.bury())
        return ended

    async def _see_off(
        self, worker: Worker, slot: int, ended: "asyncio.Future[None]", *, killed: bool
    ) -> None:
        if not killed:
            await asyncio.wait({ended}, timeout=REAP_S)
        # More than once: of a worker that was killed just when it left after its last task, the
        # executor makes the next, which may wait for ever for a lock that the killed one held.
        for pause_s in KILLS_S:
            if ended.done():
                return
            worker.kill()
            await asyncio.wait({ended}, timeout=pause_s)
        if ended.done():
            return
        pids = [process.pid for process in worker.processes if process.pid is not None]
        for pid in pids:
            self._stuck[pid] = slot
            self._log.warning(
                "farm.worker_stuck",
                slot=slot,
                pid=pid,
                held_mb=round(rss_mb(pid)),
                mend="it does not heed SIGKILL: look after the disk that it waits for",
            )
        while not ended.done():
            worker.kill()
            await asyncio.wait({ended}, timeout=REAP_S)
        for pid in pids:
            del self._stuck[pid]
            self._log.info("farm.stuck_worker_ended", slot=slot, pid=pid)
