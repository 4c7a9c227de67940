"""Everything at once, a little: the weather of a bad day, for soaks and rehearsals."""

from collections.abc import Collection

from twf_async.replica.faults.kinds import BODIES, FILES, IDX_FILES, PARTS, REPLIES, WIRE, Kind
from twf_async.replica.faults.script import Asked, Fault, Script

# Those that leave nothing to be had, or that go by the clock and need moments of their own.
_LASTING = frozenset({Kind.ABORTED, Kind.AGED_OUT, Kind.LATE, Kind.GROWING, Kind.RERUN})
_STATUSES = (500, 502, 503, 429)


def mixed(
    share: float, seed: int, *, wait_s: float = 2.0, without: Collection[Kind] = ()
) -> Script:
    """Return a script in which about *share* of all requests, and of all files, go wrong, and as
    many of the requests for several ranges in a way of their own.

    Each kind has an equal part of it. A file is wrong for the first two requests for it; then it
    is as it should be, so that everything can be had in the end.

    wait_s   how long `hang` and `stall` last, in real seconds
    without  kinds left out (`flip`, where every published value is compared)
    """
    requests = sorted((REPLIES | BODIES | WIRE) - set(without))
    files = sorted(FILES - _LASTING - set(without))
    befall = share / max(1, len(requests))
    faults = [
        Fault(kind, probability=befall, seconds=wait_s)
        for kind in requests
        if kind is not Kind.STATUS
    ]
    if Kind.STATUS in requests:
        part = befall / len(_STATUSES)
        faults += [Fault(Kind.STATUS, status=status, probability=part) for status in _STATUSES]
    faults += [
        Fault(
            kind,
            on=(Asked.IDX,) if kind in IDX_FILES else (Asked.GRIB,),
            first=2,
            each_path=True,
            probability=share / max(1, len(files)),
        )
        for kind in files
    ]
    parts = sorted(PARTS - set(without))
    faults += [Fault(kind, probability=share / max(1, len(parts))) for kind in parts]
    return Script(seed, tuple(faults))
