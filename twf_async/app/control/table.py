"""The verbs of the service, and what each does to its parts."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from twf_async.app.assembly import Parts
from twf_async.app.control.handover import Handover
from twf_async.app.control.verbs import Verb
from twf_async.app.desk import Desk
from twf_async.app.pinning import require_model
from twf_async.app.reloads import Reloaded
from twf_async.app.upkeep import Housekeeping
from twf_async.errors import BadInput
from twf_async.pipeline.gate import OPERATOR
from twf_async.publish.events import STATUS_CHANGED

LONGEST_REASON = 200
NO_REASON = "no reason given"

_log = structlog.get_logger(component="control")


def verbs(
    status: Callable[[], dict[str, Any]],
    parts: Parts,
    desk: Desk,
    reload: Callable[[], Awaitable[Reloaded]],
    keeping: Housekeeping,
) -> tuple[Verb, ...]:
    """Everything that can be asked for over the control socket."""
    gate, tree, events = parts.gate, parts.tree, parts.events
    handover = Handover(parts, desk, keeping.retention)

    async def show(_: Mapping[str, Any]) -> dict[str, Any]:
        return status()

    async def read_again(_: Mapping[str, Any]) -> dict[str, Any]:
        reloaded = await reload()
        return {"restart_needed": list(reloaded.restart_needed)}

    async def pause(body: Mapping[str, Any]) -> dict[str, Any]:
        reason = _text(body, "reason") or gate.reason_of(OPERATOR) or NO_REASON
        await gate.pause(reason, by=OPERATOR)
        _log.info("control.paused", reason=reason, running=gate.running)
        events.emit(STATUS_CHANGED, {"gate": gate.status()})
        return {"gate": gate.status()}

    async def resume(_: Mapping[str, Any]) -> dict[str, Any]:
        was_paused = await gate.resume(by=OPERATOR)
        if was_paused:
            _log.info("control.resumed")
            events.emit(STATUS_CHANGED, {"gate": gate.status()})
        return {"was_paused": was_paused, "gate": gate.status()}

    async def backfill(body: Mapping[str, Any]) -> dict[str, Any]:
        model, cycle = _text(body, "model"), _text(body, "cycle")
        await desk.backfill(model, cycle)
        return {"pinned": cycle in tree.pinned(model)}

    async def pin(body: Mapping[str, Any]) -> dict[str, Any]:
        model, cycle = _run(body, parts)
        await tree.pin(model, cycle, _text(body, "reason"))
        return {"pinned": sorted(tree.pinned(model))}

    async def unpin(body: Mapping[str, Any]) -> dict[str, Any]:
        model, cycle = _run(body, parts)
        await tree.unpin(model, cycle)
        return {"pinned": sorted(tree.pinned(model))}

    async def clean(body: Mapping[str, Any]) -> dict[str, Any]:
        return await keeping.clean(dry_run=body.get("dry_run") is not False)

    return (
        Verb("status", "GET", show),
        Verb("reload", "POST", read_again),
        Verb("pause", "POST", pause),
        Verb("resume", "POST", resume),
        Verb("backfill", "POST", backfill),
        Verb("run", "POST", handover.begin),
        Verb("progress", "POST", handover.progress),
        Verb("pin", "POST", pin),
        Verb("unpin", "POST", unpin),
        Verb("clean", "POST", clean),
    )


def _run(body: Mapping[str, Any], parts: Parts) -> tuple[str, str]:
    """The model and the cycle that a request names; BadInput for no model."""
    model = _text(body, "model")
    require_model(model, parts.workshop.settings().catalog, parts.tree)
    return model, _text(body, "cycle")


def _text(body: Mapping[str, Any], key: str) -> str:
    """A line of text from a request; "" where it has none."""
    value = body.get(key, "")
    if not isinstance(value, str):
        raise BadInput(f"{key} is a text")
    line = " ".join(value.split())
    if len(line) > LONGEST_REASON:
        raise BadInput(f"{key} has {len(line)} characters; keep it below {LONGEST_REASON}")
    return line
