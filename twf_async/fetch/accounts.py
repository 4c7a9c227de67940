"""What fetching has cost each model since the start: requests, bytes by kind, hits of the cache.

Outlives reloads: they change neither what was asked nor what was received.
"""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from twf_async.fetch.budget import Budget
from twf_async.fetch.fallback import Hour
from twf_async.fetch.fetched import HourFetched
from twf_async.fetch.host import Kind, Tally
from twf_async.fetch.record import Record
from twf_async.settings.service import FetchSettings

_MINUTE_S = 60.0
_RUNS_SEEN = 8  # per model


class Sent:
    """When requests left, by the loop's clock; of the last minute only."""

    def __init__(self) -> None:
        self._left: deque[float] = deque()

    def note(self) -> None:
        """One leaves now."""
        self.last_minute()
        self._left.append(asyncio.get_running_loop().time())

    def last_minute(self) -> int:
        """How many left in the last 60 s."""
        since = asyncio.get_running_loop().time() - _MINUTE_S
        while self._left and self._left[0] <= since:
            self._left.popleft()
        return len(self._left)


@dataclass(slots=True)
class Account:
    """One model's.

    hours, hits  requests for an hour's fields, and those of them served without a download (an
                 inventory that is read once more for fields that the model did not write is none)
    source       which gave the last answer; None before the first
    seen         run -> hours that are known to be there
    """

    hours: int = 0
    hits: int = 0
    requests: int = 0
    received: Counter[Kind] = field(default_factory=Counter)
    cached_bytes: int = 0
    source: str | None = None
    seen: dict[str, set[int]] = field(default_factory=dict)
    sent: Sent = field(default_factory=Sent)

    @property
    def hit_rate(self) -> float | None:
        """Share of hits; None before the first request."""
        return round(self.hits / self.hours, 4) if self.hours else None


class HourTally(Tally):
    """A tally that is on the account of a model, and ends an answer that goes beyond the budget."""

    def __init__(self, accounts: "Accounts", hour: Hour) -> None:
        super().__init__()
        self._account, self._hosts = accounts.of(hour[0]), accounts.hosts
        self._budget, self._hour = accounts.budget, hour

    def sent(self, host: str) -> None:
        """A request leaves for *host*."""
        super().sent(host)
        self._account.requests += 1
        self._account.sent.note()
        self._hosts[host].note()

    def received(self, kind: Kind, count: int) -> None:
        """Bytes came. Raises BudgetSpent."""
        super().received(kind, count)
        self._account.received[kind] += count
        self._budget.spend(self._hour, count)


class Accounts:
    """Every model's account, what every host was asked, and the budget of every run."""

    def __init__(
        self, settings: FetchSettings, of_run: Callable[[str, str], Awaitable[Iterable[Record]]]
    ) -> None:
        """*of_run*: what the cache holds of a run; earlier processes paid for it."""
        self.budget = Budget(settings)
        self._of_run = of_run
        self.hosts: defaultdict[str, Sent] = defaultdict(Sent)
        self._models: dict[str, Account] = {}

    async def tally(self, hour: Hour) -> HourTally:
        """For one piece of work on an hour. Raises BudgetSpent where nothing may be asked."""
        run = hour[:2]
        if not self.budget.knows(run):
            self.budget.recall(run, await self._of_run(*run))
        self.budget.require(hour)
        return HourTally(self, hour)

    def of(self, model: str) -> Account:
        """A model's account."""
        return self._models.setdefault(model, Account())

    def seen(self, hour: Hour, source: str | None) -> None:
        """An hour is there. source: who said so; None for the cache."""
        model, cycle, number = hour
        account = self.of(model)
        account.seen.setdefault(cycle, set()).add(number)
        while len(account.seen) > _RUNS_SEEN:
            del account.seen[min(account.seen)]
        account.source = source or account.source

    def fetched(self, hour: HourFetched) -> None:
        """An hour's fields were handed out."""
        account = self.of(hour.model)
        account.hours += 1
        account.hits += hour.method == "CACHED"
        account.cached_bytes += hour.cached_bytes
        where = (hour.model, hour.cycle, hour.hour)
        self.seen(where, hour.source if hour.method != "CACHED" else None)
