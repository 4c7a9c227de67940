"""Proves that a downloaded file is what was asked for, before anything else may see it.

Blocking; run it in a thread. Values are not looked at: that is decode's part.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from render_farm.domain import grib2
from render_farm.domain.fields import MessageKey
from render_farm.domain.models import GridSize
from twf_async.fetch.errors import NotGrib, Truncated, WrongGrid, WrongMessages, WrongOrigin

Shape = tuple[int, int, int]  # grid definition template, columns, rows
Origin = tuple[int, bool]  # centre, whether it is a member of an ensemble
_OF_MEMBERS = {1, 11, 41, 43}  # product definition templates (code table 4.0)
_NEARLY_WHOLE = 0.9
_FAR_MORE = 2  # the estimate for a projected grid is right within a few per cent
_STEP = 1 << 20
_MOST_FIELDS = 10_000


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the inventory promised.

    wanted   fields that must be there
    count    fields that must be there in all, extra ones of a cross product included
    exact    whether more fields than that are a fault too (byte ranges)
    grid     of the model; None: grids are not checked
    cut_to_points  about how many points a cut-out has; None where nothing was cut out
    members  whether the inventory speaks of members of an ensemble
    """

    cycle: str
    wanted: frozenset[MessageKey]
    count: int
    exact: bool
    grid: GridSize | None = None
    cut_to_points: int | None = None
    members: bool = False


@dataclass(frozen=True, slots=True)
class Verified:
    """A proven file: its fields that have keys, size, hash, shapes of its grids, and origins."""

    keys: tuple[MessageKey, ...]
    bytes: int
    sha256: str
    shapes: frozenset[Shape]
    origins: frozenset[Origin]


def verify(path: Path, expected: Expectation) -> Verified:
    """Walk every section of the file from its first byte to its last.

    raises  NotGrib, Truncated, WrongMessages, WrongGrid, WrongOrigin
    """
    heads = _heads(path)
    cycles = {head.cycle for head in heads} - {expected.cycle}
    if cycles:
        raise WrongMessages(f"fields of {', '.join(sorted(cycles))}, asked for {expected.cycle}")
    if len(heads) < expected.count:
        raise Truncated(f"{len(heads)} fields, the inventory promised {expected.count}")
    if expected.exact and len(heads) > expected.count:
        raise WrongMessages(f"{len(heads)} fields, the inventory promised {expected.count}")
    keys = [head.key for head in heads if head.key is not None]
    absent = expected.wanted.difference(keys)
    if absent:
        raise WrongMessages(
            f"{len(absent)} of {len(expected.wanted)} fields did not come, among them {min(absent)}"
        )
    _require_grid(heads, expected)
    origins = frozenset((head.center, head.product.template in _OF_MEMBERS) for head in heads)
    if not expected.members and any(member for _, member in origins):
        raise WrongOrigin("fields of a member of an ensemble, of which the inventory says nothing")
    shapes = frozenset((head.grid.template, head.grid.ni, head.grid.nj) for head in heads)
    found = tuple(dict.fromkeys(keys))
    return Verified(found, path.stat().st_size, sha256_of(path), shapes, origins)


def sha256_of(path: Path) -> str:
    """The hash of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_STEP):
            digest.update(chunk)
    return digest.hexdigest()


def _heads(path: Path) -> list[grib2.MessageHead]:
    try:
        with path.open("rb") as stream:
            heads = list(islice(grib2.walk(stream), _MOST_FIELDS + 1))
    except grib2.Truncated as error:
        raise Truncated(f"{error} (message at byte {error.offset})") from error
    except grib2.GribError as error:
        raise NotGrib(f"{error} (message at byte {error.offset})") from error
    if len(heads) > _MOST_FIELDS:
        raise WrongMessages(f"more than {_MOST_FIELDS} fields, which no file of any model has")
    return heads


def _require_grid(heads: Iterable[grib2.MessageHead], expected: Expectation) -> None:
    """A box that catches no point comes back as the whole grid, without an error."""
    if expected.grid is None:
        return
    whole = expected.grid.points
    for head in heads:
        points = head.grid.points
        if expected.cut_to_points is None:
            if points != whole:
                raise WrongGrid(f"{head.text} has {points} points, the model's grid has {whole}")
        elif points >= whole and expected.cut_to_points < _NEARLY_WHOLE * whole:
            raise WrongGrid(f"{head.text} covers the whole grid; the box caught none of its points")
        elif points > _FAR_MORE * expected.cut_to_points:
            raise WrongGrid(
                f"{head.text} has {points} points, the box about {expected.cut_to_points}"
            )
