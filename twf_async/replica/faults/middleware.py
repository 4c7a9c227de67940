"""Where a request meets its faults: between the rate limit and the files."""

from collections.abc import Sequence
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from twf_async.replica.answers import streamed
from twf_async.replica.faults.bodies import spoil
from twf_async.replica.faults.director import Cue, Director
from twf_async.replica.faults.kinds import BODIES, OTHER_SPANS, PARTS, REPLIES, WIRE, Kind
from twf_async.replica.faults.parts import Spans, other_spans, spoil_heads
from twf_async.replica.faults.replies import reply
from twf_async.replica.faults.script import Source
from twf_async.replica.faults.target import Target
from twf_async.replica.faults.wire import break_off
from twf_async.replica.file_answers import CHANGES_SPANS, RANGE_IGNORED, ChangesSpans
from twf_async.replica.hits import HIT


def faults(director: Director, source: Source) -> Middleware:
    """Return the middleware that plays the script to the requests of one server."""

    @web.middleware
    async def play(request: web.Request, handler: Handler) -> web.StreamResponse:
        if director.idle:
            return await handler(request)
        target, hit = Target.of(request, source), request[HIT]
        cues = director.cues(target)
        for cue in director.of_file(target.file) if target.file else ():
            hit.did(cue.fault.kind)
        instead = _first(cues, REPLIES)
        if instead is not None:
            hit.did(instead.fault.kind)
            answer: web.StreamResponse = reply(request, instead.fault)
        else:
            answer = await _spoiled(request, handler, cues)
        broken = _first(cues, WIRE)
        if broken is not None:
            answer = streamed(answer)
            break_off(answer, broken.fault)
            hit.did(broken.fault.kind)
        return answer

    return play


async def _spoiled(
    request: web.Request, handler: Handler, cues: Sequence[Cue]
) -> web.StreamResponse:
    """Return the answer of the files, with other bytes in it where a fault says so."""
    if _first(cues, frozenset({Kind.RANGE_IGNORED})) and "Range" in request.headers:
        request[RANGE_IGNORED] = True
        request[HIT].did(Kind.RANGE_IGNORED)
    if (other := _first(cues, OTHER_SPANS)) is not None:
        changes: ChangesSpans = partial(_other_spans, request, other)
        request[CHANGES_SPANS] = changes
    answer = await handler(request)
    for cue in cues:
        if cue.fault.kind not in BODIES | PARTS or answer.status not in {200, 206}:
            continue
        if cue.fault.kind is Kind.RANGE_IGNORED or cue.fault.kind in OTHER_SPANS:
            continue
        answer = streamed(answer)
        spoils = spoil_heads if cue.fault.kind in PARTS else spoil
        if await spoils(answer, cue):
            request[HIT].did(cue.fault.kind)
    return answer


def _other_spans(request: web.Request, cue: Cue, spans: Spans) -> Spans:
    request[HIT].did(cue.fault.kind)
    return other_spans(spans, cue)


def _first(cues: Sequence[Cue], family: frozenset[Kind]) -> Cue | None:
    return next((cue for cue in cues if cue.fault.kind in family), None)
