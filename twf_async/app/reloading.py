"""Carries reloads out, and tells everybody how each went."""

from collections.abc import Callable
from multiprocessing.context import BaseContext

import structlog

from render_farm.logs import lines
from twf_async.app.assembly import Parts, bin_colours, slot_spec
from twf_async.app.desk import Desk
from twf_async.app.in_force import Colours, InForce, Steps
from twf_async.app.notify import Notifier
from twf_async.app.reloads import Outcome, ReloadBroke, Reloads
from twf_async.app.status import Status
from twf_async.errors import TwfError
from twf_async.publish.events import STATUS_CHANGED
from twf_async.settings.load import Settings


class Reloading:
    """One reload after the other; what is asked for meanwhile is one more, however often."""

    def __init__(
        self, in_force: InForce, steps: Steps, status: Status, parts: Parts, notifier: Notifier
    ) -> None:
        self._in_force, self._steps = in_force, steps
        self._status, self._parts, self._notifier = status, parts, notifier
        self._log = structlog.get_logger(component="app")

    async def run(self, reloads: Reloads) -> None:
        """Until cancelled. ReloadBroke: parts go by different configurations, so it must end."""
        while True:
            await reloads.asked.wait()
            waiting_to_hear = reloads.take()
            self._notifier.reloading()
            outcome = await self._reload()
            reloads.tell(waiting_to_hear, outcome)
            if isinstance(outcome, ReloadBroke):
                raise outcome

    async def _reload(self) -> Outcome:
        try:
            reloaded = await self._in_force.reload(self._steps)
        except TwfError as error:
            self._status.reload_fault = str(error)
            if not isinstance(error, ReloadBroke):
                self._log.error("app.reload_refused", reason=str(error))
                self._notifier.ready("reload refused: the old configuration stays in force")
            return error
        self._status.reloaded_at, self._status.reload_fault = self._parts.clock.now(), ""
        self._status.restart_needed = reloaded.restart_needed
        self._parts.events.emit(STATUS_CHANGED, {"reloaded": True})
        self._log.info("app.reloaded")
        self._notifier.ready("reloaded")
        return reloaded


def steps_of(
    read_settings: Callable[[], Settings], context: BaseContext, parts: Parts, desk: Desk
) -> Steps:
    """How the parts of a running service come to go by another configuration."""

    async def colours(fresh: Settings) -> Colours:
        return await bin_colours(parts.farm, fresh.catalog)

    async def prepare(fresh: Settings) -> None:
        await parts.fetcher.reload(fresh.service.upstream, fresh.service.fetch)

    async def take(fresh: Settings) -> None:
        lines.set_level(fresh.service.logs.level)
        farm = fresh.service.farm
        spec = slot_spec(fresh.service, context)
        parts.farm.reload(spec, job_timeout_s=farm.job_timeout_s)
        await desk.reload(drain_s=farm.job_timeout_s)

    return Steps(read_settings, colours, prepare, take)
