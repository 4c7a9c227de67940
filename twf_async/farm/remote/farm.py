"""A farm whose jobs are drawn by the workers of a dask cluster, which share no disk with it.

To the rest of the service it is the farm. Its one slot of its own answers small questions, so the
service starts and serves while the cluster is away, and draws jobs that are too large to send.
What the watchdog does to spare memory here concerns that slot alone.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog

from render_farm.domain.jobs import HourFailed, HourRendered, RenderJob
from render_farm.domain.shipment import Returned, Shipment
from render_farm.worker import shipped
from twf_async.farm.errors import FarmClosed, JobTimedOut
from twf_async.farm.farm import Farm
from twf_async.farm.losses import Cause, Loss, Losses
from twf_async.farm.machine import Machine
from twf_async.farm.peaks import Peaks
from twf_async.farm.remote.berths import Berths
from twf_async.farm.remote.cluster import Cluster
from twf_async.farm.remote.place import Place, PlaceLost
from twf_async.farm.remote.shipping import Spoilt, TooLarge, land, ship
from twf_async.farm.slot import SlotSpec
from twf_async.farm.turns import kind_of

MAKEUP_S = 60.0  # for the own slot to say what it draws with


class RemoteFarm(Farm):
    """The same face; `render` goes to the cluster."""

    def __init__(
        self,
        spec: SlotSpec,
        scheduler: str,
        *,
        job_timeout_s: float,
        ship_limit_mb: float,
        machine: Machine | None = None,
        peaks: Peaks | None = None,
    ) -> None:
        """*scheduler*: its address, "tcp://host:8786" or "tls://...".

        ship_limit_mb  messages of one job; one with more is drawn here
        """
        machine = machine or Machine()
        super().__init__(spec, 1, job_timeout_s=job_timeout_s, machine=machine, peaks=peaks)
        self._timeout_s, self._limit_mb = job_timeout_s, ship_limit_mb
        self._berths = Berths(machine.is_calm)
        self._cluster = Cluster(scheduler, self._berths.offer)
        self._unwinding: set[asyncio.Task[None]] = set()
        self._left = False
        self._lines = structlog.get_logger(component="farm")

    async def start(self) -> None:
        """Start the own slot, and begin to join the cluster: the service does not wait for it."""
        await super().start()
        self._cluster.start(await self.call(shipped.makeup, timeout_s=MAKEUP_S))

    async def stop(self, *, kill: bool = False) -> None:
        """Take no more jobs and leave the cluster; jobs in flight are given up only if *kill*."""
        if not self._left:
            self._left = True
            self._berths.close()
            if not kill:
                await self._berths.settled()
            for task in self._unwinding:
                task.cancel()
            await self._cluster.stop()
        await super().stop(kill=kill)

    def reload(self, spec: SlotSpec, *, job_timeout_s: float) -> None:
        """Replace the own slot's worker; the cluster's take every job's settings from the job."""
        self._timeout_s = job_timeout_s
        super().reload(spec, job_timeout_s=job_timeout_s)

    async def render(
        self, job: RenderJob, *, begun: Callable[[], None] = lambda: None
    ) -> HourRendered | HourFailed:
        """Draw one hour in the cluster. Always answers, but for FarmClosed and FarmBroken.

        begun  called when a worker takes it, and again when another does
        """
        losses = Losses()
        while not losses.hopeless:
            try:
                outcome = await self._attempt(job, begun)
            except TooLarge as error:
                self._lines.info("farm.job_kept_here", **_bound(job), reason=str(error))
                return await super().render(job, begun=begun)
            if not isinstance(outcome, Loss):
                return outcome
            self._lines.warning(
                "farm.job_lost",
                **_bound(job),
                attempt=losses.attempt,
                reason=outcome.told,
                strike=outcome.is_strike,
            )
            if outcome.is_strike:  # the cluster may come and go as often as it likes
                losses = losses.plus(outcome)
        self._lines.error(
            "farm.job_quarantined",
            **_bound(job),
            reason=losses.reason.value,
            detail=losses.detail,
            frames_kept=0,
        )
        return HourFailed(job.model, job.cycle, job.hour, losses.reason, losses.detail)

    @property
    def waiting(self) -> Counter[str]:
        """Jobs without a worker, by model."""
        return super().waiting + self._berths.waiting

    def status(self) -> list[dict[str, Any]]:
        """One entry for the own slot and each worker of the cluster that is of use."""
        return super().status() + [self._place_status(place) for place in self._places()]

    def cluster_status(self) -> dict[str, Any]:
        """Whether the cluster is joined, and what of it is of use; no address."""
        return {
            "joined": self._cluster.is_joined,
            "fault": self._cluster.fault,
            "workers": len(self._places()),
            "refused": [*self._cluster.refused.values()],
        }

    async def _attempt(
        self, job: RenderJob, begun: Callable[[], None]
    ) -> HourRendered | HourFailed | Loss:
        async with self._berths.place(kind_of(job), job.cycle, job.hour) as place:
            begun()
            shipment = await asyncio.to_thread(ship, job, limit_mb=self._limit_mb)
            returned = await self._send(place, shipment)
            del shipment
        if isinstance(returned, Loss):
            return returned
        place.jobs_done += 1
        if isinstance(returned.outcome, HourFailed):
            failed = returned.outcome
            return Loss(Cause.RAISED, failed.detail, reason=failed.reason)
        try:
            return await asyncio.to_thread(land, job, returned)
        except Spoilt as fault:
            return Loss(Cause.RAISED, str(fault))

    async def _send(self, place: Place, shipment: Shipment) -> Returned | Loss:
        try:
            return await place.run(shipped.draw, shipment, timeout_s=self._timeout_s)
        except PlaceLost as fault:
            if self._left:
                raise FarmClosed("the farm is stopping") from fault
            return Loss(Cause.KILLED if fault.with_cluster else Cause.CRASHED, str(fault))
        except JobTimedOut as fault:
            self._cluster.end_work(place)
            return Loss(Cause.TIMED_OUT, str(fault))
        except asyncio.CancelledError:
            self._unwind(place)
            raise
        except Exception as fault:  # noqa: BLE001 - a job answers with a value: it is dask's
            told = f"{type(fault).__name__}: {fault}"
            if self._cluster.is_broken:
                place.lose(with_cluster=True)
                return Loss(Cause.KILLED, told)
            return Loss(Cause.CRASHED, told)

    def _unwind(self, place: Place) -> None:
        """Give the place back when what nobody wants any more is done there."""
        if place.unwanted is not None:
            task = asyncio.create_task(self._wait_out(place, place.unwanted), name="unwind")
            self._unwinding.add(task)
            task.add_done_callback(self._unwinding.discard)

    async def _wait_out(self, place: Place, unwanted: "asyncio.Future[Any]") -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await place.until(unwanted)
        except TimeoutError:
            self._cluster.end_work(place)
        finally:
            place.unwanted = None
        if unwanted.done() and not unwanted.cancelled():
            unwanted.exception()  # nobody else asks
        self._berths.offer(place)

    def _places(self) -> list[Place]:
        places = [place for place in self._cluster.places.values() if place.pid is not None]
        return sorted(places, key=lambda place: place.number)

    def _place_status(self, place: Place) -> dict[str, Any]:
        ticket, since = self._berths.running.get(place), place.busy_since
        return {
            "slot": place.number,
            "pid": place.pid,
            "state": "busy" if ticket else "idle",
            "job": None if ticket is None else ticket.job,
            "busy_s": None if since is None else round(time.monotonic() - since, 1),
            "jobs_done": place.jobs_done,
            "rss_mb": round(place.memory_mb, 1),
            "pss_mb": 0.0,
        }


def _bound(job: RenderJob) -> dict[str, Any]:
    return {"model": job.model, "cycle": job.cycle, "hour": job.hour}
