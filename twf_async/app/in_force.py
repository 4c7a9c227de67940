"""The configuration in force, and how another one takes its place."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from twf_async.app.reloads import ReloadBroke, Reloaded, ReloadFailed
from twf_async.app.restart import restart_needed
from twf_async.errors import FarmError, TwfError
from twf_async.settings.load import Settings
from twf_async.settings.palettes import require_room

Colours = dict[str, tuple[str, ...]]  # of every scale's bins


@dataclass(frozen=True, slots=True)
class Steps:
    """How a configuration comes into force. Nothing of it waits for jobs.

    read     read it; blocking
    colours  of its scales' bins, as the renderer draws them
    prepare  done last before it is in force; afterwards whatever is done anew goes by it
    take     have the other parts go by it, now that it is
    """

    read: Callable[[], Settings]
    colours: Callable[[Settings], Awaitable[Colours]]
    prepare: Callable[[Settings], Awaitable[None]]
    take: Callable[[Settings], Awaitable[None]]


class InForce:
    """Settings, and the colours that belong to them; replaced whole, or not at all."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._begun_with = settings.service  # what a reload cannot change goes by this
        self._colours: Colours = {}
        self._log = structlog.get_logger(component="app")

    def settings(self) -> Settings:
        """Those in force. To be asked anew whenever something begins."""
        return self._settings

    def colours(self) -> Colours:
        """Of every scale's bins."""
        return self._colours

    def drawn(self, colours: Colours) -> None:
        """The colours, once there is a worker who knows them."""
        self._colours = colours

    async def reload(self, steps: Steps) -> Reloaded:
        """Put the configuration of now in force.

        raises  BadConfiguration, ReloadFailed: the old one holds as before, in every part
                ReloadBroke: the new one holds, but not in every part
        """
        fresh, colours = await self._ready(steps)
        keys = restart_needed(self._begun_with, fresh.service)
        if keys:
            self._log.warning("app.restart_needed", settings=keys)
        self._settings, self._colours = fresh, colours
        try:
            await steps.take(fresh)
        except Exception as error:
            self._log.exception("app.reload_broke")
            raise ReloadBroke(
                "the new configuration is in force, but not every part took it"
                f" ({type(error).__name__}: {error}); the service ends and goes by it once it is"
                " started again"
            ) from error
        return Reloaded(keys)

    async def _ready(self, steps: Steps) -> tuple[Settings, Colours]:
        """Everything that may fail."""
        now, colours = self._settings.catalog, self._colours
        try:
            fresh = await asyncio.to_thread(steps.read)
            if (fresh.catalog.scales, fresh.catalog.style) != (now.scales, now.style):
                colours = await steps.colours(fresh)
            require_room(fresh, colours)
            await steps.prepare(fresh)
        except FarmError as error:
            raise ReloadFailed(f"no worker could draw the scales: {error}; reload again") from error
        except TwfError:
            raise
        except Exception as error:  # a fault of ours must not end what runs
            self._log.exception("app.reload_failed")
            told = f"{type(error).__name__}: {error}"
            raise ReloadFailed(f"the configuration could not be taken: {told}") from error
        return fresh, colours
