"""How quick the service is, in percentiles over the hours that it waited for. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from statistics import quantiles
from typing import Any

from twf_async.ledger.entries import FreshnessEntry

PERCENTILES = (50, 95, 99)
GOAL_S = 10.0  # of the 95th percentile, from an hour's inventory being visible to its last map

STAGES: Mapping[str, Callable[[FreshnessEntry], tuple[datetime, datetime]]] = {
    "seen": lambda entry: (entry.upstream_at, entry.seen_at),
    "fetched": lambda entry: (entry.upstream_at, entry.fetched_at),
    "rendered": lambda entry: (entry.upstream_at, entry.rendered_at),
    "published": lambda entry: (entry.upstream_at, entry.published_at),
    "visible_to_published": lambda entry: (entry.visible_at, entry.published_at),
}
"""Stage -> the moments it lies between. All but the last begin with the Last-Modified of the hour's
inventory; the last one begins when the other side may first have shown it."""


def stage_s(entry: FreshnessEntry) -> dict[str, float]:
    """Seconds of an hour, by stage."""
    spans = {name: ends(entry) for name, ends in STAGES.items()}
    return {name: (end - begin) / timedelta(seconds=1) for name, (begin, end) in spans.items()}


def percentiles(values: Iterable[float]) -> dict[str, float]:
    """`p50`, `p95` and `p99`, between neighbours where they fall so; nothing of nothing."""
    rising = sorted(values)
    if not rising:
        return {}
    # With a single value, itself: quantiles() takes two at least.
    cuts = quantiles(rising if len(rising) > 1 else rising * 2, n=100, method="inclusive")
    return {f"p{percent}": cuts[percent - 1] for percent in PERCENTILES}


def figures(entries: Iterable[FreshnessEntry]) -> dict[str, Any]:
    """How many hours, and the percentiles of each stage in seconds; stages empty without hours."""
    hours = [stage_s(entry) for entry in entries]
    found = {name: percentiles(each[name] for each in hours) for name in STAGES} if hours else {}
    return {
        "hours": len(hours),
        "seconds": {
            name: {percent: round(value, 2) for percent, value in each.items()}
            for name, each in found.items()
        },
    }
