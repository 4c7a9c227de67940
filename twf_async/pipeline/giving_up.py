"""When a run that somebody waits for asks its source no more: nothing comes for long.

The service has time: it asks a source again until that is well. A command has to end, in a cron job
above all. What is here by then is drawn, the rest is missing with its reason.
"""

from render_farm.domain.fields import MessageKey
from render_farm.domain.models import Model
from twf_async.errors import FetchError
from twf_async.fetch.distrust import Distrusted
from twf_async.fetch.errors import NotYetPublished
from twf_async.fetch.fetched import Appearance, HourFetched, HourWanted
from twf_async.pipeline.attempts import Attempts, GivenUp
from twf_async.pipeline.ports import Fetcher


class ImpatientFetcher:
    """A fetcher that asks no more once the source has given nothing for *patience_s*.

    An hour that comes counts, and the answer that it is not there: both settle it. That its
    inventory has appeared does not, for of a broken file it appears as well. What is in the cache
    is handed out in any case. A download whose bytes come in is not cut short: it may be slow.
    """

    def __init__(self, fetcher: Fetcher, attempts: Attempts) -> None:
        self._fetcher, self._attempts = fetcher, attempts

    async def hour(self, wanted: HourWanted) -> HourFetched:
        """As the fetcher's; GivenUp where the source would have to be asked once more."""
        attempts = self._attempts
        given_up = attempts.given_up
        if given_up is not None and not await self._is_here(wanted):
            raise GivenUp(given_up)
        async with attempts.one(wanted.hour) as attempt:
            try:
                got = await self._fetcher.hour(wanted)
            except GivenUp:
                raise
            except FetchError as error:
                if error.retry_after_s is None or isinstance(error, NotYetPublished):
                    attempts.settle()
                    raise
                if attempt.may_ask_again(error, error.retry_after_s):
                    raise
                if attempts.given_up is None:
                    attempts.settle()
                raise GivenUp(error) from error
        if got.method != "CACHED":
            attempts.settle()
        return got

    async def appeared(
        self, model: Model, cycle: str, hour: int, *, anew: bool = False
    ) -> Appearance:
        """As the fetcher's; GivenUp where the source is not asked any more."""
        if self._attempts.given_up is not None:
            raise GivenUp(self._attempts.given_up)
        async with self._attempts.one(hour):
            try:
                return await self._fetcher.appeared(model, cycle, hour, anew=anew)
            except NotYetPublished:
                self._attempts.settle()
                raise

    async def forget(self, model: Model, cycle: str, hour: int) -> None:
        """As the fetcher's."""
        await self._fetcher.forget(model, cycle, hour)

    async def distrust(
        self, model: Model, cycle: str, hour: int, keys: frozenset[MessageKey]
    ) -> Distrusted:
        """As the fetcher's."""
        return await self._fetcher.distrust(model, cycle, hour, keys)

    async def cached(self, wanted: HourWanted) -> dict[MessageKey, str]:
        """As the fetcher's."""
        return await self._fetcher.cached(wanted)

    async def newest_cycle(self, model: Model) -> str | None:
        """As the fetcher's; GivenUp where it does not say a word."""
        async with self._attempts.one():
            return await self._fetcher.newest_cycle(model)

    async def _is_here(self, wanted: HourWanted) -> bool:
        try:
            return wanted.keys <= (await self.cached(wanted)).keys()
        except FetchError:  # a cache that cannot be read has nothing
            return False
