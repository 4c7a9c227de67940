"""Runs that a command hands to the service: the service's side.

The service keeps what was asked for, not who asked: every question names the run and what of it is
wanted, so a command that ends takes nothing with it.
"""

import itertools
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from twf_async.app.assembly import Parts
from twf_async.app.desk import Desk
from twf_async.errors import BadInput
from twf_async.pipeline.asked import Standing
from twf_async.pipeline.once import LATEST
from twf_async.pipeline.opening import extent_of
from twf_async.pipeline.report import RunRequest
from twf_async.pipeline.resuming import UNFINISHED
from twf_async.plan.schedule import NOT_PUBLISHED
from twf_async.publish.manifest import FrameName
from twf_async.upkeep.retention import Retention

T = TypeVar("T")


class Handover:
    """Takes runs from commands, and tells how far they are."""

    def __init__(self, parts: Parts, desk: Desk, retention: Retention) -> None:
        self._parts, self._desk, self._retention = parts, desk, retention

    async def begin(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Have a run worked through, if it is not being worked on already.

        raises  BadInput for what cannot be, or is not the service's to do
        """
        self._require_same_tree(body)
        request = _request(body)
        poller = self._desk.poller(request.model)
        if request.cycle == LATEST:
            if not poller.newest:
                raise BadInput(f"no run of {request.model} has been found yet; ask again later")
            request = replace(request, cycle=poller.newest)
        before = self._standing(request).count.published
        begun = await poller.take(request)
        return {"cycle": request.cycle, "begun": begun, "published": before, "pid": os.getpid()}

    async def progress(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """How far a run is, and whether any more of it is to come now.

        goes  whether it is taken off as soon as room is made: it is too old, and not pinned
        """
        request = _request(body)
        standing = self._standing(request)
        poller, gate = self._desk.poller(request.model), self._parts.gate
        coming = poller.is_coming(request.cycle, standing.open)
        if not coming:  # what was settled between the two looks is told as well
            standing = self._standing(request, followed=request.cycle in poller.active_cycles)
        return {
            "pid": os.getpid(),
            "done": not coming,
            "count": asdict(standing.count),
            "missing": [] if coming else [asdict(frame) for frame in standing.missing],
            "goes": not coming and request.cycle in self._retention.due(request.model),
            "held": gate.paused_because or gate.fetch_held_because,
        }

    def _standing(self, request: RunRequest, *, followed: bool = False) -> Standing:
        extent, tree = extent_of(self._parts.workshop.settings(), request), self._parts.tree
        regions = [region.key for region in extent.regions]
        products = [product.key for product in extent.products]
        names: list[FrameName] = list(itertools.product(regions, products, extent.hours))
        records = {name: tree.frame_record(request.model, request.cycle, *name) for name in names}
        return Standing.of(records, why_open=NOT_PUBLISHED if followed else UNFINISHED)

    def _require_same_tree(self, body: Mapping[str, Any]) -> None:
        ours, theirs = self._parts.tree.root.resolve(), body.get("publish_dir")
        if isinstance(theirs, str) and Path(theirs) != ours:
            raise BadInput(
                f"a service with this state publishes to {ours}, not to {theirs};"
                " set TWF_STATE_DIR to another directory too, or leave both as they are"
            )


def _request(body: Mapping[str, Any]) -> RunRequest:
    """The run that a body names; BadInput where it does not."""
    model, cycle = body.get("model"), body.get("cycle")
    if not isinstance(model, str) or not isinstance(cycle, str):
        raise BadInput("name a model and a cycle")
    return RunRequest(
        model,
        cycle,
        _listed(body, "hours", int),
        _listed(body, "regions", str),
        _listed(body, "products", str),
        wait=False,
    )


def _listed(body: Mapping[str, Any], key: str, kind: type[T]) -> tuple[T, ...] | None:
    values = body.get(key)
    if values is None:
        return None
    if not isinstance(values, list) or not all(type(value) is kind for value in values):
        raise BadInput(f"{key} is a list of {kind.__name__}")
    return tuple(values)
