"""What crosses to a worker on another machine and back: bytes instead of paths. Picklable."""

from dataclasses import dataclass

from render_farm.domain.jobs import HourFailed, HourRendered, RenderJob
from render_farm.domain.sparsefile import SparseFile


@dataclass(frozen=True, slots=True)
class Shipment:
    """A job with the contents of its files. Its directories mean nothing where it is drawn."""

    job: RenderJob
    files: tuple[SparseFile, ...]


@dataclass(frozen=True, slots=True)
class Returned:
    """What became of a shipment. Paths are those of the job; their files are in *files*.

    files  name in the staging directory -> content, of pictures and value grids
    """

    outcome: HourRendered | HourFailed
    files: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Makeup:
    """Who draws: equal ones draw the same job to the same bit.

    code       digest of the renderer's sources
    libraries  names and versions of everything that pixels or bytes depend on
    """

    pid: int
    software: str
    code: str
    libraries: str
