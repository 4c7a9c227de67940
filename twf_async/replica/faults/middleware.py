"""Where a request meets its faults: between the rate limit and the files."""

from collections.abc import Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from twf_async.replica.answers import streamed
from twf_async.replica.faults.bodies import spoil
from twf_async.replica.faults.director import Cue, Director
from twf_async.replica.faults.kinds import BODIES, REPLIES, WIRE, Kind
from twf_async.replica.faults.replies import reply
from twf_async.replica.faults.script import Source
from twf_async.replica.faults.target import Target
from twf_async.replica.faults.wire import break_off
from twf_async.replica.file_answers import RANGE_IGNORED
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
    answer = await handler(request)
    for cue in cues:
        spoils = cue.fault.kind in BODIES and cue.fault.kind is not Kind.RANGE_IGNORED
        if spoils and answer.status in {200, 206}:
            answer = streamed(answer)
            if await spoil(answer, cue):
                request[HIT].did(cue.fault.kind)
    return answer


def _first(cues: Sequence[Cue], family: frozenset[Kind]) -> Cue | None:
    return next((cue for cue in cues if cue.fault.kind in family), None)
