"""What the hit log says of a client: is it polite, does it ask in vain, does it ask twice?

Nothing of the control pages is in the log. HEAD and .idx count as requests, never as downloads.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from twf_async.replica.faults.kinds import HARMLESS
from twf_async.replica.hits import Hit
from twf_async.replica.mirror import tree_path
from twf_async.replica.query import BadQuery, read_query
from twf_async.replica.release import PLANS, ReleasePlan
from twf_async.replica.scripts import SCRIPTS
from twf_async.replica.tree import COM

EARLY = timedelta(minutes=15)
_FOUND = frozenset({200, 206})


def busiest(hits: Iterable[Hit], window_s: float = 60.0) -> int:
    """Return the most requests that any window of so many real seconds holds."""
    times = sorted(hit.monotonic_s for hit in hits)
    most = first = 0
    for last, moment in enumerate(times):
        while times[first] <= moment - window_s:
            first += 1
        most = max(most, last - first + 1)
    return most


def not_due(
    hits: Iterable[Hit],
    *,
    early: timedelta = EARLY,
    plans: Sequence[ReleasePlan] = PLANS,
) -> list[Hit]:
    """Return the requests for an hour that could not be there: more than *early* before its time by
    the release plan, on the replica's clock, or one that its model does not have.
    """
    return [hit for hit in hits if _in_vain(hit, early, plans)]


@dataclass(frozen=True, slots=True)
class Again:
    """Bytes start to end of *file* that a client had and fetched again; box: cut by the filter."""

    file: str
    box: str
    start: int
    end: int


def downloaded_twice(hits: Iterable[Hit]) -> list[Again]:
    """Return what came whole more than once, in order. Spoiled answers do not count: what a fault
    broke must be fetched again; nor does another version of a file. A stale .idx alone can make a
    client fetch what it has: its ranges were wrong.
    """
    had: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    again = []
    for hit in hits:
        whole = 1 if hit.box else sum(end - start for start, end in hit.spans)
        if hit.method != "GET" or hit.status not in _FOUND or hit.bytes < whole:
            continue
        if not hit.file or hit.file.endswith(".idx") or _spoiled(hit):
            continue
        spans = had.setdefault((hit.file, hit.version, hit.box), [])
        for start, end in hit.spans:
            common = [(max(start, a), min(end, b)) for a, b in spans]
            again += [Again(hit.file, hit.box, a, b) for a, b in common if a < b]
            spans.append((start, end))
    return again


def report(hits: Sequence[Hit]) -> dict[str, Any]:
    """Return all three answers, for the control page."""
    return {
        "requests": len(hits),
        "busiest_minute": busiest(hits),
        "not_due": [f"{hit.method} {hit.path}?{hit.query}".rstrip("?") for hit in not_due(hits)],
        "downloaded_twice": [asdict(again) for again in downloaded_twice(hits)],
    }


def file_of(hit: Hit) -> str:
    """Return the file that a request meant, whatever was answered; "" for none."""
    path = unquote(hit.path)
    if path.startswith("/cgi-bin/"):
        script = SCRIPTS.get(path.rpartition("/")[2])
        try:
            query = read_query(dict(pair for pair in _pairs(hit.query)))
        except BadQuery:
            return ""
        return f"{COM}/{script.tree}{query.directory}/{query.file}" if script else ""
    return tree_path(path) or path


def _spoiled(hit: Hit) -> bool:
    return bool(hit.fault) and not set(hit.fault.split("; ")) <= HARMLESS


def _pairs(query: str) -> Iterable[tuple[str, str]]:
    for part in query.split("&"):
        name, _, value = part.partition("=")
        yield unquote(name), unquote(value)


def _in_vain(hit: Hit, early: timedelta, plans: Sequence[ReleasePlan]) -> bool:
    file = file_of(hit)
    for plan in plans:
        if not file.startswith(f"{COM}/{plan.tree}/"):
            continue
        read = plan.read(file)
        if read is None:
            return False
        if not plan.has(read.cycle, read.hour):
            return True
        due = plan.complete(read.cycle, read.hour) + timedelta(seconds=min(0.0, plan.idx_lag_s))
        return datetime.fromisoformat(hit.clock) < due - early
    return False
