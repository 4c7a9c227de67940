"""Writes palette PNGs: no row filter (it does not help indices), libdeflate, text chunks.

Measured on a 1700x1300 frame of GFS temperature (ms, kB): ISA-L 2 and 219, zlib's level 1 15 and
232, its level 6 28 and 154; libdeflate's level 5 6 and 167. The bytes depend on the picture, its
texts and the library's version only: no time, no host.
"""

import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import deflate
import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LEVEL = 5  # the knee: 6 saves 4 % more for half as much time again, 4 loses 7 %
# A picture full of small detail costs twice the time, and then level 3 loses only 5 %.
BUSY_LEVEL, BUSY = 3, 0.15  # share of pixels that differ from their left neighbour
BUSY_ROWS = 16  # every so many rows are looked at
# What comes near half a megabyte is packed once more: 20 to 30 ms for 6 % of its bytes.
LARGE_BYTES, LARGE_LEVEL = 450_000, 7
_KEYWORD_BYTES = 79
_LONG_TEXT = 1000  # bytes, from which on compressing it is worth while


def encode(
    indices: NDArray[np.uint8], colours: NDArray[np.uint8], texts: Mapping[str, str] | None = None
) -> bytes:
    """A complete PNG file.

    indices  (height, width) uint8, each below len(colours)
    colours  (n, 3) uint8, 1 <= n <= 256
    texts    keyword -> text, as tEXt where Latin-1 can hold it (long ones as zTXt), else iTXt
    ValueError for a shape, size or keyword that PNG does not know.
    """
    if indices.ndim != 2 or indices.dtype != np.uint8 or 0 in indices.shape:
        raise ValueError(f"indices are {indices.dtype} {indices.shape}, not uint8 (rows, columns)")
    if colours.ndim != 2 or colours.shape[1] != 3 or not 1 <= len(colours) <= 256:
        raise ValueError(f"colours are {colours.shape}, not (1..256, 3)")
    height, width = indices.shape
    rows = np.zeros((height, width + 1), np.uint8)  # a leading 0 in each row: no filter
    rows[:, 1:] = indices
    chunks = [
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        _chunk(b"PLTE", np.ascontiguousarray(colours, np.uint8).tobytes()),
        *(_text(keyword, text) for keyword, text in (texts or {}).items()),
        _chunk(b"IDAT", _packed(rows)),
        _chunk(b"IEND", b""),
    ]
    return SIGNATURE + b"".join(chunks)


def write(path: Path, data: bytes) -> None:
    """Write a file completely and flushed, under a temporary name, then rename it."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_texts(data: bytes) -> dict[str, str]:
    """The texts of a PNG file; ValueError where it is none or damaged."""
    if not data.startswith(SIGNATURE):
        raise ValueError("not a PNG file")
    texts: dict[str, str] = {}
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        body = data[position + 8 : position + 8 + length]
        (crc,) = struct.unpack_from(">I", data, position + 8 + length)
        if crc != deflate.crc32(kind + body):
            raise ValueError(f"the chunk {kind!r} is damaged")
        keyword, _, rest = body.partition(b"\0")
        if kind == b"tEXt":
            texts[keyword.decode("latin-1")] = rest.decode("latin-1")
        elif kind == b"zTXt":  # one byte says how it is compressed
            texts[keyword.decode("latin-1")] = zlib.decompress(rest[1:]).decode("latin-1")
        elif kind == b"iTXt":  # two bytes of compression, then language and translation, empty
            texts[keyword.decode("latin-1")] = rest[4:].decode("utf-8")
        position += 12 + length
    return texts


def _packed(rows: NDArray[np.uint8]) -> bytearray:
    few = rows[::BUSY_ROWS, 1:]
    changes = np.count_nonzero(few[:, 1:] != few[:, :-1])
    level = BUSY_LEVEL if changes > BUSY * few.size else LEVEL
    packed: bytearray = deflate.zlib_compress(rows.data.cast("B"), level)
    if len(packed) > LARGE_BYTES:
        packed = deflate.zlib_compress(rows.data.cast("B"), LARGE_LEVEL)
    return packed


def _chunk(kind: bytes, body: bytes | bytearray) -> bytes:
    crc = deflate.crc32(body, deflate.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def _text(keyword: str, text: str) -> bytes:
    name = keyword.encode("latin-1")
    if not 0 < len(name) <= _KEYWORD_BYTES or "\0" in keyword + text:
        raise ValueError(f"{keyword!r} cannot be a keyword of a PNG text")
    try:
        plain = text.encode("latin-1")
    except UnicodeEncodeError:
        return _chunk(b"iTXt", name + b"\0\0\0\0\0" + text.encode("utf-8"))
    if len(plain) < _LONG_TEXT:
        return _chunk(b"tEXt", name + b"\0" + plain)
    return _chunk(b"zTXt", name + b"\0\0" + deflate.zlib_compress(plain, LEVEL))
