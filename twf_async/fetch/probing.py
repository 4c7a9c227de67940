"""Whether hours are there, and which run is the newest: asked, never told by the clock alone."""

from render_farm.domain.models import Model
from twf_async.clock import Clock
from twf_async.fetch.accounts import Accounts
from twf_async.fetch.cache import Cache
from twf_async.fetch.engine import Engine
from twf_async.fetch.errors import BadIndex, Expired, NotYetPublished
from twf_async.fetch.fetched import Appearance
from twf_async.plan.runs import candidates, hours_of_cycle


class Probing:
    """Asks the sources, or the cache, for single hours. `accounts` says what it cost."""

    _engine: Engine  # another one when settings have changed

    def __init__(self, cache: Cache, accounts: Accounts, clock: Clock) -> None:
        self.accounts = accounts
        self._cache, self._clock = cache, clock

    async def newest_cycle(self, model: Model) -> str | None:
        """The newest run whose first hour is there, found by asking; None where there is none.

        raises  SourceError where the sources cannot tell
        """
        for cycle in candidates(model, self._clock.now()):
            if await self.exists(model, cycle, hours_of_cycle(model, cycle)[0]):
                return cycle
        return None

    async def exists(self, model: Model, cycle: str, hour: int) -> bool:
        """Whether the hour can be fetched: all its inventories are there and usable. Asks once.

        raises  SourceError where the sources cannot tell
        """
        try:
            await self.appeared(model, cycle, hour)
        except (NotYetPublished, Expired, BadIndex):
            return False
        return True

    async def appeared(
        self, model: Model, cycle: str, hour: int, *, anew: bool = False
    ) -> Appearance:
        """What is known of an hour that is there; asks once, if it is not in the cache.

        anew    ask even so: the files may have been replaced
        raises  NotYetPublished where it is not there; other FetchErrors where nobody can tell
        """
        where = (model.key, cycle, hour)
        if anew:
            self._engine.forget(model, cycle, hour)
        elif await self._cache.knows(*where):
            self.accounts.seen(where, None)
            return Appearance("cache")
        seen = await self._engine.probe(model, cycle, hour, await self.accounts.tally(where))
        self.accounts.seen(where, seen.source)
        return seen

    async def forget(self, model: Model, cycle: str, hour: int) -> None:
        """The other side replaced the files of an hour: ours are worth nothing any more."""
        self._engine.forget(model, cycle, hour)
        await self._cache.drop(model.key, cycle, hour)
