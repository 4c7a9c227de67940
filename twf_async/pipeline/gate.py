"""The gate that work passes before it starts. Whoever closes it, never a running job.

Several may hold it shut at once, each by its name: the watchdog while memory is short, an operator
until he says otherwise. It opens when the last one lets go.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

OPERATOR = "operator"  # an operator's name at the gate


class DispatchGate:
    """Two doors: one for everything, one for downloads alone (a full disk)."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._pauses: dict[str, str] = {}  # holder -> reason
        self._fetch_holds: dict[str, str] = {}
        self._favour_of = ""  # the holder that lets one render through
        self.running = 0  # renders that passed and have not ended

    @property
    def is_open(self) -> bool:
        """Whether renders may start."""
        return not self._pauses

    @property
    def fetch_is_open(self) -> bool:
        """Whether downloads may start."""
        return not self._pauses and not self._fetch_holds

    @property
    def is_paused_by_hand(self) -> bool:
        """Whether an operator holds it shut."""
        return OPERATOR in self._pauses

    @property
    def paused_because(self) -> str:
        """Every reason why nothing may start; "" while renders may."""
        return "; ".join(self._pauses.values())

    @property
    def fetch_held_because(self) -> str:
        """Every reason that holds downloads alone; "" where there is none."""
        return "; ".join(self._fetch_holds.values())

    def reason_of(self, by: str) -> str:
        """Why *by* has paused; "" where he has not."""
        return self._pauses.get(by, "")

    async def pause(self, reason: str, *, by: str) -> None:
        """Let no new render or download start until *by* resumes. The reason is not empty."""
        async with self._changed:
            self._pauses[by] = reason

    async def resume(self, *, by: str) -> bool:
        """Take the pause of *by* away; others stay. Says whether there was one."""
        async with self._changed:
            was_paused = self._pauses.pop(by, None) is not None
            if self._favour_of == by:
                self._favour_of = ""
            self._changed.notify_all()
            return was_paused

    async def hold_fetches(self, reason: str, *, by: str) -> None:
        """Let no new download start; what is here is still drawn. The reason is not empty."""
        async with self._changed:
            self._fetch_holds[by] = reason

    async def release_fetches(self, *, by: str) -> None:
        """Take the hold of *by* away, if there is one; others stay."""
        async with self._changed:
            self._fetch_holds.pop(by, None)
            self._changed.notify_all()

    async def let_one_through(self, *, by: str) -> None:
        """Let a single render start though *by* holds the gate: it might never open otherwise.

        Goes past the pause of *by* alone, not past those of others.
        """
        async with self._changed:
            if by in self._pauses:
                self._favour_of = by
                self._changed.notify_all()

    async def wait_open(self) -> None:
        """Return once a render may start."""
        async with self._changed:
            while self._pauses:
                if self._pauses.keys() == {self._favour_of}:
                    self._favour_of = ""
                    return
                await self._changed.wait()

    async def wait_fetch(self) -> None:
        """Return once a download may start."""
        async with self._changed:
            while not self.fetch_is_open:
                await self._changed.wait()

    @asynccontextmanager
    async def passage(self) -> AsyncIterator[None]:
        """Wait until a render may start, and count it while it runs."""
        await self.wait_open()
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1

    def status(self) -> dict[str, object]:
        """For the status page: what may start, and who holds what."""
        return {
            "open": self.is_open,
            "reason": self.paused_because,
            "held_by": dict(self._pauses),
            "fetch_open": self.fetch_is_open,
            "fetch_reason": self.fetch_held_because,
            "fetch_held_by": dict(self._fetch_holds),
            "running": self.running,
        }
