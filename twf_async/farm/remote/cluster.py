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
from twf_async.farm.remote.place import Place, PlaceLost

LOOK_S = 1.0
FAULTS = 3  # looks in a row without an answer: the scheduler is lost
BACK_OFF_S = (1.0, 2.0, 5.0, 10.0)  # between attempts to join; the last for good


class Cluster:
    """Keeps joined with a scheduler and knows its workers."""

    def __init__(self, scheduler: str, offer: Callable[[Place], None]) -> None:
        """*offer* is handed every place that has become of use."""
        self.places: dict[str, Place] = {}  # by address
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

    def end_work(self, place: Place) -> None:
        """Have the worker of a place ended with what it is doing; the place is gone at once."""
        place.lose()
        self.places.pop(place.address, None)
        self._spent.add(place.address)
        self._spawn(self._restart(place))

    async def _restart(self, place: Place) -> None:
        connection = self._connection
        if connection is not None and await connection.restart(place.address):
            self._spent.discard(place.address)
            self._log.info("farm.remote_worker_restarted", slot=place.number)
        else:
            self._log.warning(
                "farm.remote_worker_stuck",
                slot=place.number,
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
        for place in self.places.values():
            place.lose(with_cluster=True)
        self.places.clear()
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
        for address, place in tuple(self.places.items()):
            if address not in seen or place.is_gone:
                place.lose()
                del self.places[address]
                self._log.info("farm.remote_worker_left", slot=place.number)
            else:
                place.memory_mb = seen[address].memory_mb
        for address in seen.keys() - self.places.keys() - self.refused.keys() - self._spent:
            place = Place(self._number(), address, connection.executor(address))
            self.places[address] = place
            self._spawn(self._greet(place))

    async def _greet(self, place: Place) -> None:
        """Ask a worker what it draws with; however long it is busy for others."""
        try:
            found = await place.run(shipped.makeup)
        except PlaceLost:
            return
        except Exception as error:  # noqa: BLE001 - whatever a foreign process raises
            self._log.warning("farm.remote_worker_failed", slot=place.number, reason=str(error))
            reason = "it cannot load the renderer; install twf-async there"
        else:
            place.pid = found.pid
            reason = difference(self._makeup, found)
        if not reason:
            self._log.info("farm.remote_worker_joined", slot=place.number, pid=place.pid)
            self._offer(place)
            return
        self._log.warning("farm.remote_worker_refused", slot=place.number, reason=reason)
        if not place.is_gone:
            place.lose()
            self.places.pop(place.address, None)
            self.refused[place.address] = reason

    def _number(self) -> int:
        """The lowest that no place has; 0 is the farm's own slot."""
        taken = {place.number for place in self.places.values()}
        return next(number for number in range(1, len(taken) + 2) if number not in taken)

    def _spawn(self, work: Any) -> None:  # noqa: ANN401 - a coroutine
        task = asyncio.create_task(work, name="cluster")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def difference(ours: Makeup | None, found: Makeup) -> str:
    """Why a worker's frames could differ from the service's own, one sentence; else ""."""
    if ours is None or (ours.software, ours.code, ours.libraries) == (
        found.software,
        found.code,
        found.libraries,
    ):
        return ""
    if ours.software != found.software:
        return (
            f"it has twf-async {found.software}, the service {ours.software};"
            " install the same version there"
        )
    if ours.code != found.code:
        return "its render_farm is of other sources than the service's; install the same there"
    mine, theirs = set(ours.libraries.split("; ")), set(found.libraries.split("; "))
    return (
        f"it has {', '.join(sorted(theirs - mine)) or 'fewer libraries'}, the service"
        f" {', '.join(sorted(mine - theirs)) or 'fewer'}; install by the same constraints.txt"
    )
