"""The daemon: all parts, running together until a signal or a fault ends them.

Owns the order of start and end, signals, and what systemd is told of both and of reloads. What the
parts do is theirs.
"""

import asyncio
import gc
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from multiprocessing.context import BaseContext

import structlog
import uvloop

from twf_async import __version__, stops
from twf_async.app.assembly import Parts, assembled, bin_colours
from twf_async.app.control.server import ControlServer
from twf_async.app.control.table import verbs
from twf_async.app.desk import Desk
from twf_async.app.heart import FarmPulse, Heart
from twf_async.app.in_force import InForce
from twf_async.app.notify import Notifier, watchdog_interval_s
from twf_async.app.reloading import Reloading, steps_of
from twf_async.app.reloads import Reloads
from twf_async.app.signals import Signals, Stopping
from twf_async.app.site import Site
from twf_async.app.status import Status
from twf_async.app.upkeep import Upkeep, make_upkeep
from twf_async.errors import FarmError
from twf_async.fetch.patience import Patience
from twf_async.settings.load import Settings
from twf_async.settings.palettes import require_room
from twf_async.settings.service import ServiceSettings
from twf_async.web.context import WebContext


@dataclass(frozen=True, slots=True)
class _Running:
    """The parts of a daemon that was started."""

    parts: Parts
    upkeep: Upkeep
    desk: Desk
    heart: Heart
    status: Status
    site: Site
    control: ControlServer


class Daemon:
    """One run of the service, from boot to the end."""

    def __init__(
        self,
        read_settings: Callable[[], Settings],
        settings: Settings,
        context: BaseContext,
        notifier: Notifier,
        *,
        announce: Callable[[str], None] | None = None,
        patience: Patience | None = None,
    ) -> None:
        """*announce* is told the viewer's address once it can be opened.

        patience  see `assembled`
        """
        self._read_settings = read_settings
        self._in_force = InForce(settings)
        self._context = context
        self._notifier = notifier
        self._announce = announce
        self._patience = patience
        self._reloads = Reloads()
        self._watchdog_s = watchdog_interval_s()
        self._log = structlog.get_logger(component="app")

    def run(self) -> int:
        """Serve until told to stop; 0 after a drain. A part that breaks raises what it raised."""
        stops.listen()
        stops.note()  # until there is a loop to heed one
        gc.collect()
        gc.freeze()  # what is loaded is never garbage; looking through it would hold the loop 50 ms
        with (
            stops.at_last(lambda: self._log.warning("app.stop_forced")),
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            return runner.run(self._serve())

    async def _serve(self) -> int:
        signals = Signals(self._reloads.asked.set)
        with signals.heard(asyncio.get_running_loop()):
            try:
                async with AsyncExitStack() as undo:
                    await self._until_stopped(signals, await self._started(signals, undo))
            except Stopping:
                pass
            except FarmError:
                if stops.asked() is None:
                    raise  # else the workers were told to stop as well, as by Ctrl-C
            self._log.info("app.stopped")
        return 0

    async def _started(self, signals: Signals, undo: AsyncExitStack) -> _Running:
        """Start every part in its order; *undo* stops them. Stopping where a stop came before."""
        await signals.require_going()
        settings = self._in_force.settings
        parts = await undo.enter_async_context(
            assembled(settings, self._context, patience=self._patience)
        )
        await signals.require_going()
        colours = await bin_colours(parts.farm, settings().catalog)
        require_room(settings(), colours)
        self._in_force.drawn(colours)
        running = self._made(parts, signals.dump)
        await running.upkeep.start(undo)
        await signals.require_going()
        for part in (running.site, running.control):
            await part.start()
            undo.push_async_callback(part.stop)
        await running.desk.start()
        undo.push_async_callback(self._drain, running.desk)
        return running

    def _made(self, parts: Parts, dump: Callable[[], None]) -> _Running:
        settings = self._in_force.settings
        upkeep = make_upkeep(
            settings,
            parts,
            active=lambda: desk.active_runs(),  # noqa: PLW0108 - made below, from this part
        )
        desk = Desk(replace(parts.workshop, before_run=upkeep.retention.make_room))
        heart = self._heart(parts, upkeep, desk, dump)
        status = Status(settings, parts, desk, upkeep, lambda: heart.late)
        context = WebContext(
            settings=settings,
            tree=parts.tree,
            events=parts.events,
            clock=parts.clock,
            bin_colours=self._in_force.colours,
            status=status.document,
            not_ready=status.not_ready,
            stuck=lambda: heart.stuck,
        )
        control = ControlServer(
            settings().service.state_dir,
            verbs(status.document, parts, desk, self._reloads.ask, upkeep.keeping),
        )
        site = Site(context, settings().service.web)
        return _Running(parts, upkeep, desk, heart, status, site, control)

    def _heart(self, parts: Parts, upkeep: Upkeep, desk: Desk, dump: Callable[[], None]) -> Heart:
        def service() -> ServiceSettings:
            return self._in_force.settings().service

        farm = FarmPulse(parts.farm, lambda: service().farm.job_timeout_s)
        keepers = (upkeep.watchdog.pulse, upkeep.cleaner.pulse)
        return Heart(
            lambda: (*desk.pulses(), *farm.felt(), *keepers),
            parts.gate,
            self._notifier,
            stuck_after_s=lambda: service().watchdog.stuck_after_s,
            every_s=self._watchdog_s,
            dump=dump,
        )

    async def _drain(self, desk: Desk) -> None:
        self._notifier.stopping()
        await desk.stop(drain_s=self._in_force.settings().service.farm.drain_s)

    def _say_ready(self, url: str) -> None:
        models = ", ".join(model.key for model in self._in_force.settings().catalog.enabled_models)
        self._log.info("app.started", version=__version__, url=url, models=models)
        self._notifier.ready(f"{models} at {url}")
        if self._announce is not None:
            self._announce(url)

    async def _until_stopped(self, signals: Signals, running: _Running) -> None:
        """Reload when asked; return on a stop; raise what a part raised."""
        self._say_ready(running.site.url)
        tasks = {
            asyncio.create_task(signals.stopping.wait(), name="stop"),
            asyncio.create_task(running.heart.run(), name="heart"),
            asyncio.create_task(self._reload_when_asked(running), name="reload"),
        }
        parts = {running.desk.task, running.upkeep.watchdog.task, running.upkeep.cleaner.task}
        try:
            done, _ = await asyncio.wait({*tasks, *parts}, return_when=asyncio.FIRST_COMPLETED)
            if not signals.stopping.is_set():
                for task in done:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _reload_when_asked(self, running: _Running) -> None:
        parts, desk = running.parts, running.desk
        steps = steps_of(self._read_settings, self._context, parts, desk)
        reloading = Reloading(self._in_force, steps, running.status, parts, self._notifier)
        await reloading.run(self._reloads)
