"""The daemon: all parts, running together until a signal or a fault ends them.

Owns the order of start and end, signals, reload, and what systemd is told. What the parts do is
theirs.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from multiprocessing.context import BaseContext

import structlog
import uvloop

from render_farm.logs import lines
from twf_async import __version__
from twf_async.app.assembly import Parts, assembled, bin_colours, slot_spec
from twf_async.app.control.server import ControlServer
from twf_async.app.control.table import verbs
from twf_async.app.desk import Desk
from twf_async.app.notify import Notifier, watchdog_interval_s
from twf_async.app.reloads import Outcome, Reloaded, ReloadFailed, Reloads
from twf_async.app.restart import restart_needed
from twf_async.app.signals import Signals
from twf_async.app.site import Site
from twf_async.app.status import Status
from twf_async.app.upkeep import make_upkeep
from twf_async.errors import FarmError, TwfError
from twf_async.farm.farm import Farm
from twf_async.fetch.patience import Patience
from twf_async.publish.events import STATUS_CHANGED
from twf_async.settings.load import Settings
from twf_async.upkeep.cache import CacheCleaner
from twf_async.upkeep.watchdog import Watchdog
from twf_async.web.context import WebContext

Colours = dict[str, tuple[str, ...]]  # of every scale's bins


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
        self._settings = settings
        self._context = context
        self._notifier = notifier
        self._announce = announce
        self._patience = patience
        self._colours: Colours = {}
        self._farm: Farm | None = None
        self._watchdog_s = watchdog_interval_s()
        self._log = structlog.get_logger(component="app")

    def run(self) -> int:
        """Serve until told to stop; 0 after a drain. A part that breaks raises what it raised."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(self._serve())

    async def _serve(self) -> int:
        reloads = Reloads()
        signals = Signals(reloads.asked.set, self._kill_workers)
        signals.install(asyncio.get_running_loop())
        async with AsyncExitStack() as undo:
            parts = await undo.enter_async_context(
                assembled(lambda: self._settings, self._context, patience=self._patience)
            )
            self._farm = parts.farm
            self._colours = await bin_colours(parts.farm, self._settings.catalog)
            await self._start_upkeep_and_work(undo, parts, signals, reloads)
        self._log.info("app.stopped")
        return 0

    async def _start_upkeep_and_work(
        self, undo: AsyncExitStack, parts: Parts, signals: Signals, reloads: Reloads
    ) -> None:
        service = self._settings.service
        upkeep = make_upkeep(
            lambda: self._settings,
            parts,
            active=lambda: desk.active_runs(),  # noqa: PLW0108 - made below, from this part
        )
        desk = Desk(replace(parts.workshop, before_run=upkeep.retention.make_room))
        watchdog, cleaner = upkeep.watchdog, upkeep.cleaner
        status = Status(lambda: self._settings, parts, desk, upkeep)
        control = ControlServer(
            service.state_dir, verbs(status.document, parts, desk, reloads.ask, upkeep.keeping)
        )
        site = Site(
            WebContext(
                settings=lambda: self._settings,
                tree=parts.tree,
                events=parts.events,
                clock=parts.clock,
                bin_colours=lambda: self._colours,
                status=status.document,
                not_ready=status.not_ready,
            ),
            service.web,
        )
        await upkeep.start(undo)
        await site.start()
        undo.push_async_callback(site.stop)
        await control.start()
        undo.push_async_callback(control.stop)
        await desk.start()
        try:
            self._say_ready(site.url)
            await self._until_stopped(signals, reloads, parts, desk, status, watchdog, cleaner)
        finally:
            self._notifier.stopping()
            await desk.stop(drain_s=self._settings.service.farm.drain_s)

    def _say_ready(self, url: str) -> None:
        models = ", ".join(model.key for model in self._settings.catalog.enabled_models)
        self._log.info("app.started", version=__version__, url=url, models=models)
        self._notifier.ready(f"{models} at {url}")
        if self._announce is not None:
            self._announce(url)

    async def _until_stopped(
        self,
        signals: Signals,
        reloads: Reloads,
        parts: Parts,
        desk: Desk,
        status: Status,
        watchdog: Watchdog,
        cleaner: CacheCleaner,
    ) -> None:
        """Reload when asked; return on a stop; raise what a part raised."""
        heart = asyncio.create_task(self._beat(), name="heart")
        reloading = asyncio.create_task(
            self._reload_when_asked(reloads, parts, desk, status), name="reload"
        )
        try:
            while True:
                stop = asyncio.create_task(signals.stopping.wait(), name="stop")
                waiting = {stop, reloading, desk.task, watchdog.task, cleaner.task, heart}
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                stop.cancel()
                if signals.stopping.is_set():
                    return
                for task in done - {stop}:
                    task.result()
        finally:
            heart.cancel()
            reloading.cancel()
            await asyncio.wait({reloading})

    async def _reload_when_asked(
        self, reloads: Reloads, parts: Parts, desk: Desk, status: Status
    ) -> None:
        """One reload after the other; what is asked for meanwhile is one more, however often."""
        while True:
            await reloads.asked.wait()
            waiting_to_hear = reloads.take()
            self._notifier.reloading()
            try:
                outcome: Outcome = await self._reload(parts, desk)
            except TwfError as error:
                outcome = error
                status.reload_fault = str(error)
                self._log.error("app.reload_refused", reason=str(error))
                self._notifier.ready("reload refused: the old configuration stays in force")
            else:
                status.reloaded_at, status.reload_fault = parts.clock.now(), ""
                parts.events.emit(STATUS_CHANGED, {"reloaded": True})
                self._log.info("app.reloaded")
                self._notifier.ready("reloaded")
            reloads.tell(waiting_to_hear, outcome)

    async def _reload(self, parts: Parts, desk: Desk) -> Reloaded:
        """Swap the settings as one object. A TwfError says why the old ones are kept.

        All that may fail comes first, and nothing of it waits for jobs.
        """
        fresh, colours = await self._read_again(parts.farm)
        await parts.fetcher.reload(fresh.service.upstream, fresh.service.fetch)
        if keys := restart_needed(self._settings.service, fresh.service):
            self._log.warning("app.restart_needed", settings=keys)
        self._settings, self._colours = fresh, colours
        lines.set_level(fresh.service.logs.level)
        parts.farm.reload(
            slot_spec(fresh.service, self._context), job_timeout_s=fresh.service.farm.job_timeout_s
        )
        await desk.reload(drain_s=fresh.service.farm.job_timeout_s)
        return Reloaded(keys)

    async def _read_again(self, farm: Farm) -> tuple[Settings, Colours]:
        """The configuration of now, and the colours of its scales."""
        now = self._settings.catalog
        try:
            fresh = await asyncio.to_thread(self._read_settings)
            if (fresh.catalog.scales, fresh.catalog.style) == (now.scales, now.style):
                return fresh, self._colours
            return fresh, await bin_colours(farm, fresh.catalog)
        except FarmError as error:
            raise ReloadFailed(f"no worker could draw the scales: {error}; reload again") from error
        except TwfError:
            raise
        except Exception as error:  # a fault of ours must not end what runs
            self._log.exception("app.reload_failed")
            told = f"{type(error).__name__}: {error}"
            raise ReloadFailed(f"the configuration could not be taken: {told}") from error

    async def _beat(self) -> None:
        """Feed systemd's watchdog. A loop that hangs stops feeding, and is restarted."""
        if self._watchdog_s is None:
            await asyncio.Event().wait()
        while True:
            self._notifier.alive()
            await asyncio.sleep(self._watchdog_s or 0)

    def _kill_workers(self) -> None:
        if self._farm is not None:
            self._farm.kill()
