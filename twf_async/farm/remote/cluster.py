"""The cluster as the farm sees it: joined or awaited, and which of its workers are of use.

A worker is of use once it has told that it draws with the same program and libraries as the
service: frames must not depend on where they were drawn.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from render_farm.domain.shipment import Makeup
from render_farm.worker import shipped
from twf_async.farm.remote.connection import Connection, Loop, Seen, Unreachable
from twf_async.farm.remote.endings import Ending, ending_of
from twf_async.farm.remote.likeness import difference
from twf_async.farm.remote.slot import RemoteSlot, RemoteWorkerLost

LOOK_S = 1.0
NANNY_PAUSES_S = (0.0, 0.3, 1.0, 2.0)  # before it is asked how a worker ended
FAULTS = 3  # looks in a row without an answer: the scheduler is lost
BACK_OFF_S = (1.0, 2.0, 5.0, 10.0)  # between attempts to join; the last for good


class Cluster:
    """Keeps joined with a scheduler and knows its workers."""

    def __init__(self, scheduler: str, offer: Callable[[RemoteSlot], None]) -> None:
        """*offer* is handed every slot that has become of use."""
        self.slots: dict[str, RemoteSlot] = {}  # by address
        self.refused: dict[str, str] = {}  # address -> why
        self.fault = ""  # why it is not joined
        self._scheduler, self._offer = scheduler, offer
        self._loop = Loop()
        self._connection: Connection | None = None
        self._makeup: Makeup | None = None
        self._spent: set[str] = set()  # addresses with something in work that nobody can end
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger(component="farm")

    @property
    def is_joined(self) -> bool:
        """Whether the scheduler answers."""
        return self._connection is not None

    @property
    def is_broken(self) -> bool:
        """Whether the link has been lost and that has not been seen to yet."""
        return self._connection is None or not self._connection.lives

    def start(self, makeup: Makeup) -> None:
        """Join, and go on joining whenever the scheduler was lost. *makeup*: of the service."""
        self._makeup = makeup
        self._spawn(self._keep_joined())

    async def stop(self) -> None:
        """Leave; what is in work is lost."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._loop.stop()

    async def ending(self, slot: RemoteSlot) -> Ending | None:
        """How the worker of a slot ended that was lost; None where that cannot be known."""
        connection = self._connection
        if connection is None or slot.pid is None or not slot.nanny:
            return None
        for pause_s in NANNY_PAUSES_S:  # it may not have noticed yet
            await asyncio.sleep(pause_s)
            try:
                lines = await connection.nanny_lines(slot.nanny)
            except Unreachable:
                return None
            if found := ending_of(slot.pid, lines):
                return found
        return None

    def end_work(self, slot: RemoteSlot) -> None:
        """Have the worker of a slot ended with what it is doing; the slot is gone at once."""
        slot.lose()
        self.slots.pop(slot.address, None)
        self._spent.add(slot.address)
        self._spawn(self._restart(slot))

    async def _restart(self, slot: RemoteSlot) -> None:
        connection = self._connection
        if connection is not None and await connection.restart(slot.address):
            self._spent.discard(slot.address)
            self._log.info("farm.remote_worker_restarted", slot=slot.number)
        else:
            self._log.warning(
                "farm.remote_worker_stuck",
                slot=slot.number,
                mend="end it by hand, and start dask workers with their nanny",
            )

    async def _keep_joined(self) -> None:
        attempt = 0
        try:
            while True:
                try:
                    await self._join()
                    attempt = 0
                    await self._follow()
                except Unreachable as error:
                    self._note_absence(str(error))
                except Exception:  # noqa: BLE001 - of dask's: jobs must not wait for ever
                    self._log.exception("farm.cluster_failed")
                    self.fault = "dask failed, see the log"
                await self._leave()
                await asyncio.sleep(BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)])
                attempt += 1
        finally:
            await self._leave()

    async def _join(self) -> None:
        self._connection = await self._loop.connect(self._scheduler)
        self.fault = ""
        self._log.info("farm.cluster_joined")

    def _note_absence(self, reason: str) -> None:
        if not self.fault:
            self._log.warning(
                "farm.cluster_awaited",
                reason=reason,
                mend=f"start the scheduler at {self._scheduler}, or mend farm.scheduler",
            )
        self.fault = "the scheduler does not answer"

    async def _leave(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        for slot in self.slots.values():
            slot.lose(with_cluster=True)
        self.slots.clear()
        self.refused.clear()
        self._spent.clear()
        await connection.close()

    async def _follow(self) -> None:
        """Follow the workers that come and go; raises Unreachable."""
        faults, connection = 0, self._connection
        while connection is not None:
            try:
                self._compare(connection, await connection.workers())
            except Unreachable as error:
                faults += 1
                if faults >= FAULTS or not connection.lives:
                    self._log.warning("farm.cluster_lost", reason=str(error))
                    self.fault = "the scheduler was lost"
                    raise
            else:
                faults = 0
            await asyncio.sleep(LOOK_S)

    def _compare(self, connection: Connection, seen: Mapping[str, Seen]) -> None:
        self._spent &= seen.keys()
        for address in self.refused.keys() - seen.keys():
            del self.refused[address]
        for address, slot in tuple(self.slots.items()):
            if address not in seen or slot.is_gone:
                slot.lose()
                del self.slots[address]
                self._log.info("farm.remote_worker_left", slot=slot.number)
            else:
                slot.memory_mb = seen[address].memory_mb
        for address in seen.keys() - self.slots.keys() - self.refused.keys() - self._spent:
            executor, nanny = connection.executor(address), seen[address].nanny
            slot = RemoteSlot(self._number(), address, executor, nanny)
            self.slots[address] = slot
            self._spawn(self._greet(slot))

    async def _greet(self, slot: RemoteSlot) -> None:
        """Ask a worker what it draws with; however long it is busy for others."""
        try:
            found = await slot.run(shipped.makeup)
        except RemoteWorkerLost:
            return
        except Exception as error:  # noqa: BLE001 - whatever a foreign process raises
            self._log.warning("farm.remote_worker_failed", slot=slot.number, reason=str(error))
            reason = "it cannot load the renderer; install twf-async there"
        else:
            slot.pid = found.pid
            reason = difference(self._makeup, found)
        if not reason:
            self._log.info("farm.remote_worker_joined", slot=slot.number, pid=slot.pid)
            self._offer(slot)
            return
        self._log.warning("farm.remote_worker_refused", slot=slot.number, reason=reason)
        if not slot.is_gone:
            slot.lose()
            self.slots.pop(slot.address, None)
            self.refused[slot.address] = reason

    def _number(self) -> int:
        """The lowest that no slot has; 0 is the farm's own slot."""
        taken = {slot.number for slot in self.slots.values()}
        return next(number for number in range(1, len(taken) + 2) if number not in taken)

    def _spawn(self, work: Any) -> None:  # noqa: ANN401 - a coroutine
        task = asyncio.create_task(work, name="cluster")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
