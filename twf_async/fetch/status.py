"""What status pages show of fetching: each model's account, each host's pace. JSON-ready."""

from datetime import datetime, timedelta
from typing import Any

from render_farm.domain.models import Model
from twf_async.clock import Clock
from twf_async.fetch.fetcher import Fetcher
from twf_async.fetch.host import Host, Kind

KINDS: tuple[Kind, ...] = ("FILTERED", "RANGES", "FULL", "INVENTORY")


class FetchStatus:
    """Reads a fetcher's books; never waits."""

    def __init__(self, fetcher: Fetcher, clock: Clock) -> None:
        self._fetcher, self._clock = fetcher, clock

    def model(self, model: Model) -> dict[str, Any]:
        """What fetching has cost a model since the start, and until when it is held up."""
        account = self._fetcher.accounts.of(model.key)
        serving = (source.host for source in self._fetcher.sources if source.serves(model))
        until = (self._throttled_until(host) for host in serving)
        return {
            "source": account.source,
            "throttled_until": next((at for at in until if at is not None), None),
            "requests": account.requests,
            "requests_last_minute": account.sent.last_minute(),
            "cache_hit_rate": account.hit_rate,
            "hours_served": account.hours,
            "hours_served_from_cache": account.hits,
            "bytes": {
                **{kind: account.received[kind] for kind in KINDS},
                "CACHED": account.cached_bytes,
            },
        }

    def seen(self, model: str, cycle: str) -> frozenset[int]:
        """Hours of a run that were found to be there."""
        return frozenset(self._fetcher.accounts.of(model).seen.get(cycle, ()))

    def received_bytes(self, model: str, cycle: str) -> int:
        """What a run has received: what its budget is held against."""
        return self._fetcher.accounts.budget.spent((model, cycle))

    def hosts(self) -> dict[str, Any]:
        """Every host's pace and blocks."""
        return {
            source.name: {
                "requests_last_minute": self._fetcher.accounts.hosts[source.name].last_minute(),
                "requests_per_min": source.host.pacer.requests_per_min,
                "throttled_until": self._throttled_until(source.host),
            }
            for source in self._fetcher.sources
        }

    def _throttled_until(self, host: Host) -> datetime | None:
        left_s = host.breaker.throttled_for_s
        if not left_s:
            return None
        # Back-offs are real seconds; the clock may run faster.
        return self._clock.now() + timedelta(seconds=left_s * self._clock.speed)
