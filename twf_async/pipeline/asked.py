"""Runs that somebody asks the service for: what is there of them, and what is to come. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self, TypeVar

from twf_async.ledger.entries import AskedEntry
from twf_async.pipeline.opening import Extent
from twf_async.pipeline.report import MissingFrame, RunCount, RunRequest
from twf_async.plan.progress import FileState, FileStatus, RunProgress
from twf_async.publish.manifest import FrameName, FrameState

Name = TypeVar("Name", int, str)
Records = Mapping[FrameName, Mapping[str, Any] | None]


def covers(running: RunRequest, asked: RunRequest) -> bool:
    """Whether a run that is being worked on brings all that is asked for."""
    return all(
        has is None or (wanted is not None and set(wanted) <= set(has))
        for has, wanted in (
            (running.hours, asked.hours),
            (running.regions, asked.regions),
            (running.products, asked.products),
        )
    )


def joined(one: RunRequest, other: RunRequest) -> RunRequest:
    """What brings all that either asks for of a run: all hours, regions and products of both."""
    return replace(
        one,
        hours=_either(one.hours, other.hours),
        regions=_either(one.regions, other.regions),
        products=_either(one.products, other.products),
        wait=one.wait or other.wait,
    )


def noted(request: RunRequest, now: datetime) -> AskedEntry:
    """A request as the ledger keeps it."""
    return AskedEntry(
        request.model,
        request.cycle,
        request.hours,
        request.regions,
        request.products,
        request.wait,
        now,
    )


def as_noted(entry: AskedEntry) -> RunRequest:
    """The request that was noted."""
    return RunRequest(
        entry.model, entry.cycle, entry.hours, entry.regions, entry.products, entry.wait
    )


def _either(
    one: tuple[Name, ...] | None, other: tuple[Name, ...] | None
) -> tuple[Name, ...] | None:
    """Of both, each once; None is everything."""
    if one is None or other is None:
        return None
    return tuple(dict.fromkeys(one + other))


def owed(model: str, cycle: str, frames: Iterable[FrameName], has: Extent) -> RunRequest | None:
    """What asks for these *frames* of a run, of which nobody knows who wanted them.

    has   what the configuration has of the run: the rest cannot be asked for
    returns None where nothing is left
    """
    regions, products = {r.key for r in has.regions}, {p.key for p in has.products}
    left = [f for f in frames if f[0] in regions and f[1] in products and f[2] in has.hours]
    if not left:
        return None
    each = (tuple(sorted(set(column))) for column in zip(*left, strict=True))
    wanted_regions, wanted_products, hours = each
    return RunRequest(model, cycle, hours, wanted_regions, wanted_products, wait=False)


def is_coming(run: RunProgress, now: datetime, frames: Iterable[FrameName]) -> bool:
    """Whether any of *frames* is being made, or can be without waiting for hours to appear."""
    return any(_is_coming(run, now, product, hour) for _, product, hour in frames)


def _is_coming(run: RunProgress, now: datetime, product: str, hour: int) -> bool:
    if product in run.drawing.get(hour, ()):
        return True
    order = next((o for o in run.waiting.get(hour, ()) if o.product.key == product), None)
    if order is None:
        return False
    files = (run.files[file_hour] for file_hour in order.files if file_hour in run.files)
    return not any(_has_not_appeared(state, now) for state in files)


def _has_not_appeared(state: FileState, now: datetime) -> bool:
    """Looked for in vain, or not expected yet. What only failed is tried again."""
    if state.status is not FileStatus.PENDING or state.failures:
        return False
    return state.absences > 0 or (state.not_before is not None and state.not_before > now)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is there of the frames that were asked for."""

    count: RunCount
    missing: tuple[MissingFrame, ...]
    open: tuple[FrameName, ...]

    @classmethod
    def of(cls, records: Records, *, why_open: str) -> Self:
        """From what the manifest has of each frame. why_open: of those that are not settled."""
        states = {name: (record or {}).get("state") for name, record in records.items()}
        published = sum(state == FrameState.PUBLISHED for state in states.values())
        failed = sum(state == FrameState.FAILED for state in states.values())
        without = sum(state == FrameState.NOT_APPLICABLE for state in states.values())
        settled = {FrameState.PUBLISHED, FrameState.FAILED, FrameState.NOT_APPLICABLE}
        return cls(
            RunCount(len(states) - without, published, failed, without),
            tuple(_missing(records, why_open)),
            tuple(name for name, state in states.items() if state not in settled),
        )


def _missing(records: Records, why_open: str) -> Iterator[MissingFrame]:
    """By hour, as a run of its own lists them."""
    there = {FrameState.PUBLISHED, FrameState.NOT_APPLICABLE}
    for name in sorted(records, key=lambda name: (name[2], name[1], name[0])):
        record = records[name] or {}
        if record.get("state") in there:
            continue
        yield MissingFrame(*name, record.get("reason") or why_open, record.get("detail", ""))
