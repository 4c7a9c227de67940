"""A script: which faults, for which requests, how often. Data, from Python, TOML or JSON."""

import tomllib
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from twf_async.errors import BadInput
from twf_async.replica.faults.kinds import FILES, Kind
from twf_async.replica.limit import Burst, Limit
from twf_async.settings import wording
from twf_async.settings.files import not_toml

_STRICT = ConfigDict(extra="forbid")
_Share = Annotated[float, Field(ge=0.0, le=1.0)]
_Moment = AwareDatetime | float


class Asked(StrEnum):
    """What a request is for."""

    IDX = "idx"
    GRIB = "grib"
    FILTER = "filter"
    LISTING = "listing"


class Source(StrEnum):
    """Which of the two servers is asked."""

    NOMADS = "nomads"
    MIRROR = "mirror"


@dataclass(frozen=True, slots=True, config=_STRICT)
class Fault:
    """One thing that goes wrong, and for which requests.

    Which requests:

    path         glob ("*" crosses "/") or, without "*?[", a part of: the decoded path and query, or
                 the file that is meant ("/pub/data/.../gfs.t12z.pgrb2.0p25.f006", also for the
                 filter and the mirror)
    on           kinds of request; none named: all. A fault of the files takes idx and grib only:
                 it is a file's, whoever asks
    source       nomads or mirror; None: both
    after, until moments on the replica's clock, or seconds on it since the script was set

    How often, counted over the requests that are meant so far (a fault of the files: the requests
    for such a file), or over each path apart with each_path:

    skip, first, every  leave out the first *skip*, then take every *every*-th, *first* of them
    probability  drawn from the seed, the request and how often it has been made; for a fault of
                 the files from the seed and the file, so that a file stays as it is

    What it does, where the kind has a choice:

    status       of `status`
    at           share of the body or file before the break, the cut, the stall
    seconds      how long: `hang`, `stall` (then it goes on), `late`, `growing`
    bytes_per_s  of `drip`
    count        bytes of `flip`
    hours        of `other_run`, added to the date in the messages
    last_hour    of `aborted`
    message      glob on "VAR:level:forecast": which one `message_missing` leaves out; "" takes one
                 by the seed
    """

    kind: Kind
    path: str = "*"
    on: tuple[Asked, ...] = ()
    source: Source | None = None
    after: _Moment | None = None
    until: _Moment | None = None
    skip: Annotated[int, Field(ge=0)] = 0
    first: Annotated[int, Field(ge=1)] | None = None
    every: Annotated[int, Field(ge=1)] = 1
    probability: _Share = 1.0
    each_path: bool = False
    status: Annotated[int, Field(ge=400, le=599)] = 500
    at: _Share = 0.5
    seconds: Annotated[float, Field(ge=0.0)] = 60.0
    bytes_per_s: Annotated[float, Field(gt=0.0)] = 1000.0
    count: Annotated[int, Field(ge=1)] = 1
    hours: int = -6
    last_hour: int = 120
    message: str = ""

    def __post_init__(self) -> None:
        """Refuse what could never apply."""
        if self.kind in FILES and not set(self.on) <= {Asked.IDX, Asked.GRIB}:
            raise ValueError(f"{self.kind} is a fault of the files: on takes idx and grib only")

    @property
    def of_files(self) -> bool:
        """True for a fault of the files themselves."""
        return self.kind in FILES


@dataclass(frozen=True, slots=True, config=_STRICT)
class Script:
    """All that goes wrong.

    seed   of everything that chance decides
    faults in order: of those that answer or break off, the first one that applies is taken; the
           others add up
    limit, burst  instead of the server's own, from the moment the script is set; None: these stay
    """

    seed: int = 0
    faults: tuple[Fault, ...] = field(default=())
    limit: Limit | None = None
    burst: Burst | None = None


_SCRIPT: TypeAdapter[Script] = TypeAdapter(Script)


def read_script(data: object) -> Script:
    """Make a script of decoded TOML or JSON. BadInput names every key that is wrong."""
    try:
        return _SCRIPT.validate_python(data)
    except ValidationError as error:
        found = [wording.told(fault, Script, data) for fault in error.errors()]
        lines = (f"{'.'.join(told.keys) or 'script'}: {told.message}" for told in found)
        raise BadInput("; ".join(dict.fromkeys(lines))) from None


def read_script_file(file: Path) -> Script:
    """Read a script from *file*: TOML, or JSON where its name ends so. BadInput, OSError."""
    raw = file.read_bytes()
    try:
        data: Any = orjson.loads(raw) if file.suffix == ".json" else tomllib.loads(raw.decode())
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{file}: {not_toml(error, raw.decode())}") from error
    except ValueError as error:
        raise BadInput(f"{file}: {error}") from error
    try:
        return read_script(data)
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from error


def script_json(script: Script) -> bytes:
    """Return the script as JSON that `read_script` takes."""
    return _SCRIPT.dump_json(script)
