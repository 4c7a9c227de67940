"""Jobs in the workers of a cluster: sent as bytes, landed as files."""

import asyncio
from collections.abc import Callable
from typing import Any

from render_farm.domain.jobs import HourFailed, HourRendered, Reason, RenderJob
from render_farm.domain.shipment import Returned, Shipment
from render_farm.worker import shipped
from twf_async.farm.dispatch import Dispatcher
from twf_async.farm.errors import FarmClosed, JobTimedOut, told_ending
from twf_async.farm.losses import Cause, Loss, Losses, death
from twf_async.farm.remote.cluster import Cluster
from twf_async.farm.remote.endings import Ending
from twf_async.farm.remote.shipping import Spoilt, land, ship
from twf_async.farm.remote.slot import RemoteSlot, RemoteWorkerLost
from twf_async.farm.remote.slots import RemoteSlots
from twf_async.farm.turns import kind_of


class RemoteAttempts:
    """What is sent off to a cluster goes through here: as many jobs as there are workers.

    What waits in our queue costs nothing; what waits in the scheduler would be held by it in full.
    """

    def __init__(
        self,
        scheduler: str,
        *,
        is_calm: Callable[[], bool],
        job_timeout_s: float,
        ship_limit_mb: float,
    ) -> None:
        """*is_calm*: whether more than one job may be sent off; see `Machine`."""
        self.job_timeout_s = job_timeout_s
        self._limit_mb = ship_limit_mb
        self._slots = RemoteSlots()
        self.queue = Dispatcher(self._slots, lambda _, running: not running or is_calm())
        self.cluster = Cluster(scheduler, self._offer)
        self._unwinding: set[asyncio.Task[None]] = set()
        self._left = False

    async def stop(self, *, kill: bool) -> None:
        """Send nothing more and leave the cluster; what is in work is given up only if *kill*."""
        self._left = True
        self.queue.close()
        if not kill:
            await self.queue.settled()
        for task in self._unwinding:
            task.cancel()
        await self.cluster.stop()

    async def attempt(
        self, job: RenderJob, _before: Losses, begun: Callable[[], None]
    ) -> HourRendered | HourFailed | Loss:
        """See `Attempts`; raises TooLarge, and FarmClosed."""
        async with self.queue.slot(kind_of(job), job.cycle, job.hour) as slot:
            begun()
            shipment = await asyncio.to_thread(ship, job, limit_mb=self._limit_mb)
            returned = await self._send(slot, shipment)
            del shipment
        if isinstance(returned, Loss):
            return returned
        slot.jobs_done += 1
        if isinstance(returned.outcome, HourFailed):
            failed = returned.outcome
            return Loss(Cause.RAISED, failed.detail, reason=failed.reason)
        try:
            return await asyncio.to_thread(land, job, returned)
        except Spoilt as fault:
            return Loss(Cause.RAISED, str(fault))

    async def salvage(self, job: RenderJob, reason: Reason, detail: str) -> HourFailed:
        """See `Attempts`: of a job that is lost nothing comes back."""
        return HourFailed(job.model, job.cycle, job.hour, reason, detail)

    async def _send(self, slot: RemoteSlot, shipment: Shipment) -> Returned | Loss:
        try:
            return await slot.run(shipped.draw, shipment, timeout_s=self.job_timeout_s)
        except RemoteWorkerLost as fault:
            if self._left:
                raise FarmClosed("the farm is stopping") from fault
            if fault.with_cluster:
                return Loss(Cause.LINK_LOST, str(fault))
            return _death(str(fault), await self.cluster.ending(slot))
        except JobTimedOut as fault:
            self.cluster.end_work(slot)
            return Loss(Cause.TIMED_OUT, str(fault))
        except asyncio.CancelledError:
            self._unwind(slot)
            raise
        except Exception as fault:  # noqa: BLE001 - a job answers with a value: it is dask's
            told = f"{type(fault).__name__}: {fault}"
            if self.cluster.is_broken:
                slot.lose(with_cluster=True)
                return Loss(Cause.LINK_LOST, told)
            return Loss(Cause.CRASHED, told)

    def _offer(self, slot: RemoteSlot) -> None:
        self._slots.put_back(slot)
        self.queue.dispatch()

    def _unwind(self, slot: RemoteSlot) -> None:
        """Offer the slot again when what nobody wants any more is done there."""
        if slot.unwanted is not None:
            task = asyncio.create_task(self._wait_out(slot, slot.unwanted), name="unwind")
            self._unwinding.add(task)
            task.add_done_callback(self._unwinding.discard)

    async def _wait_out(self, slot: RemoteSlot, unwanted: "asyncio.Future[Any]") -> None:
        try:
            await slot.until(unwanted, self.job_timeout_s)
        except TimeoutError:
            self.cluster.end_work(slot)
        finally:
            slot.unwanted = None
        self._offer(slot)


def _death(told: str, ending: Ending | None) -> Loss:
    """The loss of an attempt whose worker ended. How it ended is not always known: see `Ending`."""
    if ending is None:
        return Loss(Cause.CRASHED, told)
    if ending.for_memory:  # its own limit, which no other job shares
        return Loss(Cause.OUT_OF_MEMORY, f"{told}: its nanny was out of memory for it", alone=True)
    told = f"{told} ({told_ending(ending.exit_code)})"
    return death(ending.exit_code, told, oom_killed=False, alone=False)
