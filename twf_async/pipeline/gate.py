"""The gate that work passes before it starts. The watchdog closes it, never a running job."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class DispatchGate:
    """Two doors: one for everything, one for downloads alone (a full disk)."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._favours = 0
        self.running = 0  # renders that passed and have not ended
        self.paused_because = ""
        self.fetch_held_because = ""

    @property
    def is_open(self) -> bool:
        """Whether renders may start."""
        return not self.paused_because

    @property
    def fetch_is_open(self) -> bool:
        """Whether downloads may start."""
        return self.is_open and not self.fetch_held_because

    async def pause(self, reason: str) -> None:
        """Let no new render or download start. The reason is not empty."""
        await self._set(paused=reason)

    async def resume(self) -> None:
        """Let work start again."""
        await self._set(paused="")

    async def hold_fetches(self, reason: str) -> None:
        """Let no new download start; what is here is still drawn. The reason is not empty."""
        await self._set(held=reason)

    async def release_fetches(self) -> None:
        """Let downloads start again."""
        await self._set(held="")

    async def let_one_through(self) -> None:
        """Let a single render start though the gate is shut: it might never open otherwise."""
        async with self._changed:
            self._favours = 1
            self._changed.notify_all()

    async def wait_open(self) -> None:
        """Return once a render may start."""
        async with self._changed:
            while not self.is_open:
                if self._favours:
                    self._favours -= 1
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
        """For the status page."""
        return {
            "open": self.is_open,
            "reason": self.paused_because,
            "fetch_open": self.fetch_is_open,
            "fetch_reason": self.fetch_held_because,
            "running": self.running,
        }

    async def _set(self, *, paused: str | None = None, held: str | None = None) -> None:
        async with self._changed:
            if paused is not None:
                self.paused_because = paused
                self._favours = 0
            if held is not None:
                self.fetch_held_because = held
            self._changed.notify_all()
