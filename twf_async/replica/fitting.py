"""A message made to fit a room: as long as another one of the same name was."""

import numpy as np

from twf_async.replica.atmosphere.spatial import pack_constant, pack_spatial
from twf_async.replica.crop import decode
from twf_async.replica.faults.edits import padded
from twf_async.replica.packing import Scale, scale_of
from twf_async.replica.sections import NotOneField, Sections
from twf_async.replica.tree import Unreadable

_TIGHT = 16_000  # octets; complex packing takes half of it for the groups of an empty HRRR field


def fitted(data: bytes, room: int) -> bytes | None:
    """Return the message *data* in exactly *room* octets; None where that cannot be.

    A shorter one is padded, a longer one packed anew with as coarse a step as it takes. In a room
    where no field fits (such as real rain that is nowhere) it is zero everywhere.
    """
    if len(data) == room:
        return data
    try:
        parts = Sections.of(data)
        if len(data) < room:
            return padded(data, room - len(data))
        if room < _TIGHT:
            empty = parts.replaced(pack_constant(int.from_bytes(parts.bodies[3][6:10], "big"), 0.0))
            return padded(empty, room - len(empty)) if len(empty) <= room else None
        values = decode(data)
    except (NotOneField, Unreadable):
        return None
    if not np.isfinite(values).all():
        return None
    head = parts.replaced({5: b"", 6: b"", 7: b""})
    scale = scale_of(parts.bodies[5]) or Scale(0, 0)
    return parts.replaced(pack_spatial(values.astype(np.float32), scale, room - len(head)))


def stand_in(like: bytes) -> bytes:
    """Return a constant field of no known parameter on the grid of the message *like*."""
    parts = Sections.of(like)
    product, points = parts.bodies[4], int.from_bytes(parts.bodies[3][6:10], "big")
    return parts.replaced(
        {4: product[:9] + b"\xff\xff" + product[11:], **pack_constant(points, 0.0)}
    )
