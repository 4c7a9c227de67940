"""A farm whose jobs are drawn by the workers of a dask cluster, which share no disk with it.

To the rest of the service it is the farm. Its one slot of its own answers small questions, so the
service starts and serves while the cluster is away, and draws jobs that are too large to send.
What the watchdog does to spare memory here concerns that slot alone.
"""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog

from render_farm.domain.jobs import HourFailed, HourRendered, RenderJob
from render_farm.worker import shipped
from twf_async.farm.farm import Farm
from twf_async.farm.machine import Machine
from twf_async.farm.peaks import Peaks
from twf_async.farm.post import SlotSpec
from twf_async.farm.remote.attempts import RemoteAttempts
from twf_async.farm.remote.shipping import TooLarge
from twf_async.farm.remote.slot import RemoteSlot
from twf_async.farm.trials import Trials

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
        self._remote = RemoteAttempts(
            scheduler,
            is_calm=machine.is_calm,
            job_timeout_s=job_timeout_s,
            ship_limit_mb=ship_limit_mb,
        )
        self._remote_trials = Trials(self._remote)
        self._left = False
        self._lines = structlog.get_logger(component="farm")

    async def start(self) -> None:
        """Start the own slot, and begin to join the cluster: the service does not wait for it."""
        await super().start()
        self._remote.cluster.start(await self.call(shipped.makeup, timeout_s=MAKEUP_S))

    async def stop(self, *, kill: bool = False) -> None:
        """Take no more jobs and leave the cluster; jobs in flight are given up only if *kill*."""
        if not self._left:
            self._left = True
            await self._remote.stop(kill=kill)
        await super().stop(kill=kill)

    def reload(self, spec: SlotSpec, *, job_timeout_s: float) -> None:
        """Replace the own slot's worker; the cluster's take every job's settings from the job."""
        self._remote.job_timeout_s = job_timeout_s
        super().reload(spec, job_timeout_s=job_timeout_s)

    async def render(
        self, job: RenderJob, *, begun: Callable[[], None] = lambda: None
    ) -> HourRendered | HourFailed:
        """Draw one hour in the cluster. Always answers, but for FarmClosed and FarmBroken.

        begun  called when a worker takes it, and again when another does
        """
        try:
            return await self._remote_trials.render(job, begun)
        except TooLarge as error:
            bound = {"model": job.model, "cycle": job.cycle, "hour": job.hour}
            self._lines.info("farm.job_kept_here", **bound, reason=str(error))
        return await super().render(job, begun=begun)

    @property
    def waiting(self) -> Counter[str]:
        """Jobs without a worker, by model."""
        return super().waiting + self._remote.queue.waiting

    def status(self) -> list[dict[str, Any]]:
        """One entry for the own slot and each worker of the cluster that is of use."""
        return super().status() + [self._remote_status(slot) for slot in self._of_use()]

    def cluster_status(self) -> dict[str, Any]:
        """Whether the cluster is joined, and what of it is of use; no address."""
        cluster = self._remote.cluster
        return {
            "joined": cluster.is_joined,
            "fault": cluster.fault,
            "workers": len(self._of_use()),
            "refused": [*cluster.refused.values()],
        }

    def _of_use(self) -> list[RemoteSlot]:
        slots = [slot for slot in self._remote.cluster.slots.values() if slot.pid is not None]
        return sorted(slots, key=lambda slot: slot.number)

    def _remote_status(self, slot: RemoteSlot) -> dict[str, Any]:
        ticket, since = self._remote.queue.running.get(slot), slot.busy_since
        return {
            "slot": slot.number,
            "pid": slot.pid,
            "state": "busy" if ticket else "idle",
            "job": None if ticket is None else ticket.job,
            "busy_s": None if since is None else round(time.monotonic() - since, 1),
            "jobs_done": slot.jobs_done,
            "rss_mb": round(slot.memory_mb, 1),
            "pss_mb": 0.0,
            "stuck": [],
        }
