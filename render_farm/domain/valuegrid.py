"""Value grid files from the outside: prefix, header, planes as bytes (docs/value-grids.md).

Standard library and pydantic only, so that the service can tell a whole file from a damaged one;
what the planes mean is the business of render_farm.values.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

MAGIC = b"\x89VGR"
VERSION = 1
MISSING = 65535  # of uint16 planes; the codes of values are 0..65534
MAX_HEADER_BYTES = 1 << 16
MAX_CELLS = 100_000_000
_PREFIX = struct.Struct("<4sHHI")  # magic, version, zero, length of the header


class ValueGridError(ValueError):
    """A file that is no whole value grid, or one of a later version; one sentence says why."""


class _Lenient(BaseModel):
    """Immutable; what a later version adds is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class GridHeader(_Lenient):
    """Where the cells lie; the entries are those of render_farm.decode.grid.Grid."""

    kind: str
    nx: int = Field(ge=1)
    ny: int = Field(ge=1)
    x0: FiniteFloat
    y0: FiniteFloat
    dx: FiniteFloat
    dy: FiniteFloat
    crs: str
    cyclic: bool = False


class PlaneHeader(_Lenient):
    """One array of the file.

    bytes      of one cell; the plane has nx * ny * bytes of them
    predictor  how codes were made smaller: "none", or "median" and split into bytes
    scale, offset, missing   value = offset + scale * code, but for the code *missing*
    labels     of a plane of categories: what code k stands for
    """

    name: str
    bytes: int = Field(ge=1, le=8)
    predictor: str = "none"
    scale: FiniteFloat = 1.0
    offset: FiniteFloat = 0.0
    missing: int | None = None
    labels: tuple[str, ...] = ()


class Header(_Lenient):
    """What a file says of itself."""

    model: str
    cycle: str
    hour: int
    valid_time: str
    region: str
    product: str
    title: str = ""
    quantity: str = ""
    unit: str
    notice: str = ""
    grid: GridHeader
    planes: Annotated[tuple[PlaneHeader, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Contents:
    """A file taken apart: planes by name, each nx * ny * bytes long, predictors still applied."""

    header: Header
    planes: dict[str, bytes]


def pack(
    header: Header, planes: dict[str, bytes], compress: Callable[[bytes], bytes] | None = None
) -> bytes:
    """A complete file.

    planes    the bytes of each plane that the header lists
    compress  makes a zlib stream (RFC 1950) of bytes; None: the standard library's, as small as
              it makes them
    """
    text = header.model_dump_json(exclude_unset=True).encode()
    prefix = _PREFIX.pack(MAGIC, VERSION, 0, len(text))
    if compress is not None:
        return prefix + compress(b"".join([text, *(planes[p.name] for p in header.planes)]))
    # Residuals are noise around zero: runs are all that matching finds (measured: smaller than
    # level 6 at a third of its time).
    deflate = zlib.compressobj(6, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    # A block of its own: text and residuals are better coded apart (measured: 120 bytes).
    parts = [deflate.compress(text), deflate.flush(zlib.Z_SYNC_FLUSH)]
    parts += [deflate.compress(planes[plane.name]) for plane in header.planes]
    parts.append(deflate.flush())
    return prefix + b"".join(parts)


def unpack(data: bytes) -> Contents:
    """Take a file apart; ValueGridError with one sentence where it is not whole."""
    length = _header_length(data)
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(data[_PREFIX.size :], length)
        header = _header(text, length)
        wanted = _plane_bytes(header)
        body = inflate.decompress(inflate.unconsumed_tail, sum(wanted.values()) + 1)
    except zlib.error as error:
        raise ValueGridError(f"the value grid is damaged: {error}") from error
    if len(body) != sum(wanted.values()) or not inflate.eof or inflate.unused_data:
        raise ValueGridError("the value grid is cut short, or something follows it")
    planes, start = {}, 0
    for name, size in wanted.items():
        planes[name] = body[start : start + size]
        start += size
    return Contents(header, planes)


def _header_length(data: bytes) -> int:
    if len(data) < _PREFIX.size or not data.startswith(MAGIC):
        raise ValueGridError("this is not a value grid file")
    _, version, zero, length = _PREFIX.unpack_from(data)
    if version != VERSION or zero != 0:
        raise ValueGridError(f"value grids of version {version}.{zero} are not known here")
    if not 0 < length <= MAX_HEADER_BYTES:
        raise ValueGridError(f"a value grid has no header of {length} bytes")
    return int(length)


def _header(text: bytes, length: int) -> Header:
    if len(text) != length:
        raise ValueGridError("the value grid ends within its header")
    try:
        header = Header.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "its start"
        raise ValueGridError(f"the header is wrong at {where}: {first['msg']}") from error
    if header.grid.nx * header.grid.ny > MAX_CELLS:
        raise ValueGridError(f"{header.grid.nx} x {header.grid.ny} cells are too many")
    return header


def _plane_bytes(header: Header) -> dict[str, int]:
    cells = header.grid.nx * header.grid.ny
    sizes = {plane.name: plane.bytes * cells for plane in header.planes}
    if len(sizes) != len(header.planes):
        raise ValueGridError("two planes of the value grid have one name")
    return sizes
