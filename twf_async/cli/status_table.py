"""The status document for a terminal: what an operator looks at first, in few lines."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

KINDS = ("FILTERED", "RANGES", "FULL", "INVENTORY", "CACHED")
_FRESHNESS = {  # heading -> stage of the status document
    "seen": "seen",
    "fetched": "fetched",
    "drawn": "rendered",
    "online": "published",
    "visible to online": "visible_to_published",
}
_LEFT = {"model", "run", "state", "next", "source"}  # columns of text


def table(document: Mapping[str, Any]) -> str:
    """The document of `status --json` as lines of text; times are UTC."""
    now = datetime.fromisoformat(document["now"])
    title = (
        f"twf_async {document['version']}, process {document['pid']},"
        f" up {span(document['up_s'])}, {now:%Y-%m-%d %H:%M:%S} UTC"
    )
    parts = [
        [title],
        _columns(row for name, model in document["models"].items() for row in _runs(name, model)),
        _columns(_traffic(name, model) for name, model in document["models"].items()),
        _freshness(document["models"]),
        [*_remarks(document, now)],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def span(seconds: float) -> str:
    """A stretch of time in the two units that matter: "2 h 13 min"."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes >= 5 else f"{60 * minutes + rest} s"


def _runs(name: str, model: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """A row for each run that is known, newest first; one row where none is."""
    runs = sorted(model["runs"].items(), reverse=True)
    if not runs:
        yield {"model": name, "run": "none yet", "next": model["fault"] or _coming(model)}
    for cycle, run in runs:
        hours, frames = run["hours"], run["frames"]
        yield {
            "model": name,
            "run": cycle,
            "state": "superseded" if run["superseded"] else run["state"],
            "hours": str(hours["expected"]),
            "seen": str(hours["seen"]),
            "fetched": str(hours["fetched"]),
            "pending": str(hours["pending"]),
            "given up": str(hours["given_up"]),
            "maps": f"{frames['published']}/{frames['expected']}",
            "failed": str(frames["failed"]),
            "next": _next(run["etas"]) or _coming(model),
        }
        name = ""


def _next(etas: Mapping[str, str | None]) -> str:
    """The first hour that is pending, and when it is expected."""
    for hour, eta in etas.items():
        return f"{hour} {_clock(eta)}" if eta else f"{hour} soon"
    return ""


def _coming(model: Mapping[str, Any]) -> str:
    coming = model["coming"]
    if not coming:
        return ""
    when = f" {_clock(coming['eta'])}" if coming["eta"] else ""
    return f"run {coming['cycle'][-2:]} UTC{when}"


def _traffic(name: str, model: Mapping[str, Any]) -> dict[str, str]:
    rate = model["cache_hit_rate"]
    return {
        "model": name,
        "source": model["source"] or "-",
        "requests": str(model["requests"]),
        "last min": str(model["requests_last_minute"]),
        "cache hits": "-" if rate is None else f"{100 * rate:.0f} %",
        **{f"{kind} MB": f"{model['bytes'][kind] / 1e6:.1f}" for kind in KINDS},
    }


def _freshness(models: Mapping[str, Any]) -> list[str]:
    """A row a model: p50, p95 and p99 of the seconds to each stage. Nothing before any hour."""
    told = {name: model["freshness"] for name, model in models.items()}
    rows = [
        {"model": name, "hours": str(each["hours"])}
        | {title: _percentiles(each["seconds"][stage]) for title, stage in _FRESHNESS.items()}
        for name, each in told.items()
        if each["hours"]
    ]
    if not rows:
        return []
    window_h = next(iter(told.values()))["window_h"]
    title = f"seconds from an hour's appearance, last {window_h} h: p50/p95/p99"
    return [title, *_columns(iter(rows))]


def _percentiles(found: Mapping[str, float]) -> str:
    return "/".join(f"{value:.1f}" if value < 100 else f"{value:.0f}" for value in found.values())


def _remarks(document: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """One line for everything that is not in a table; what holds the work up comes first."""
    gate, watchdog, cache = document["gate"], document["watchdog"], document["cache"]
    for holder, why in gate["held_by"].items():
        yield f"PAUSED by the {holder}: {why}"
    for holder, why in gate["fetch_held_by"].items():
        yield f"DOWNLOADS HELD by the {holder}: {why}"
    for part, late_s in document["stuck"].items():
        yield f"STUCK: the {part} should have been seen {span(late_s)} ago"
    yield from _reloads(document)
    for name, model in document["models"].items():
        if model["fault"]:
            yield f"{name} CANNOT BE LOOKED FOR: {model['fault']}"
    yield from _asked(document["models"])
    for name, host in document["sources"].items():
        until = host["throttled_until"]
        blocked = ""
        if until:
            left_s = (datetime.fromisoformat(until) - now).total_seconds()
            blocked = f", THROTTLED until {_clock(until)} (in {span(left_s)})"
        asked = f"{host['requests_last_minute']} of {host['requests_per_min']:g}"
        yield f"{name}: {asked} requests in the last minute{blocked}"
    yield from _cluster(document["cluster"])
    busy = sum(slot["busy_s"] is not None for slot in document["farm"])
    waiting = sum(document["queue"]["waiting"].values())
    queued = f", {waiting} job{'s' * (waiting != 1)} waiting" if waiting else ""
    yield f"workers: {busy} of {len(document['farm'])} busy{queued}"
    yield f"cache: {cache['gb']:.2f} of {cache['max_gb']:g} GB"
    vitals = watchdog["vitals"]
    if vitals:
        low = ", LOW" if watchdog["disk_low"] else ""
        free_gb = vitals["disk_free_gb"]
        yield (
            f"machine: {vitals['memory_available_mb'] / 1024:.1f} of"
            f" {vitals['memory_limit_mb'] / 1024:.1f} GB memory available,"
            f" {'?' if free_gb is None else format(free_gb, '.0f')} GB disk free{low}"
        )


def _reloads(document: Mapping[str, Any]) -> Iterator[str]:
    if document["reload_fault"]:
        yield f"RELOAD REFUSED: {document['reload_fault']}"
    if document["restart_needed"]:
        yield f"changed, but only from the next start on: {', '.join(document['restart_needed'])}"


def _asked(models: Mapping[str, Any]) -> Iterator[str]:
    """Runs that somebody asked for, and whether for all of them."""
    for name, model in models.items():
        runs = [
            f"{cycle} (part)" if run["hours"] or run["regions"] or run["products"] else cycle
            for cycle, run in model["asked"].items()
        ]
        if runs:
            yield f"asked for by hand: {name} {', '.join(runs)}"


def _cluster(cluster: Mapping[str, Any] | None) -> Iterator[str]:
    """What of the cluster holds work up, where there is one."""
    if cluster is None:
        return
    if not cluster["workers"]:
        yield f"JOBS WAIT for dask workers: {cluster['fault'] or 'there is none of use'}"
    for reason in cluster["refused"]:
        yield f"A DASK WORKER IS REFUSED: {reason}"


def _columns(rows: Iterator[dict[str, str]]) -> list[str]:
    """Rows under their headings, numbers to the right."""
    lines = list(rows)
    headings: dict[str, None] = {}
    for row in lines:
        headings |= dict.fromkeys(row)
    table_of = [dict(zip(headings, headings, strict=True)), *lines]
    widths = {name: max(len(row.get(name, "")) for row in table_of) for name in headings}
    return ["  ".join(_cells(row, widths)).rstrip() for row in table_of]


def _cells(row: Mapping[str, str], widths: Mapping[str, int]) -> Sequence[str]:
    return [
        f"{row.get(name, ''):{'<' if name in _LEFT else '>'}{width}}"
        for name, width in widths.items()
    ]


def _clock(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%H:%M:%S}"
