"""Proves that a downloaded file is what was asked for, before anything else may see it.

Blocking; run it in a thread. Values are not looked at: that is decode's part.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from render_farm.domain import grib2
from render_farm.domain.fields import MessageKey
from render_farm.domain.models import GridSize
from twf_async.fetch.errors import NotGrib, Truncated, WrongGrid, WrongMessages

_NEARLY_WHOLE = 0.9
_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the inventory promised.

    wanted   fields that must be there
    count    fields that must be there in all, extra ones of a cross product included
    exact    whether more fields than that are a fault too (byte ranges)
    grid     of the model; None: grids are not checked
    cut_to_points  about how many points a cut-out has; None where nothing was cut out
    """

    cycle: str
    wanted: frozenset[MessageKey]
    count: int
    exact: bool
    grid: GridSize | None = None
    cut_to_points: int | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """A proven file: its fields that have keys, its size, its hash."""

    keys: tuple[MessageKey, ...]
    bytes: int
    sha256: str


def verify(path: Path, expected: Expectation) -> Verified:
    """Walk every section of the file from its first byte to its last.

    raises  NotGrib, Truncated, WrongMessages, WrongGrid
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
    return Verified(tuple(dict.fromkeys(keys)), path.stat().st_size, sha256_of(path))


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
            return list(grib2.walk(stream))
    except grib2.Truncated as error:
        raise Truncated(f"{error} (message at byte {error.offset})") from error
    except grib2.GribError as error:
        raise NotGrib(f"{error} (message at byte {error.offset})") from error


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
