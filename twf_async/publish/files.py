"""The facts of a frame's files, read from the files themselves: whole, how large, which content."""

import hashlib
import os
import struct
from pathlib import Path

from render_farm.domain import valuegrid
from render_farm.domain.confighash import HASH_DIGITS
from render_farm.domain.jobs import Frame, ValueGridFile
from twf_async.publish.manifest import VALUES_SUFFIX
from twf_async.publish.whole import read_whole

_PNG_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_PNG_END = b"IEND\xaeB`\x82"
_CONFIG_HASH = b"tEXtconfig_hash\0"
_IHDR_END = 24  # signature, chunk head, width, height


def sizes(directory: Path) -> dict[str, int]:
    """Name -> bytes of every file in *directory*; empty where none is, or none can be seen."""
    try:
        with os.scandir(directory) as entries:
            return {entry.name: entry.stat().st_size for entry in entries}
    except OSError:
        return {}


def read_frame(path: Path, region: str, product: str) -> Frame | None:
    """A whole picture, and its value grid where that is whole too; None without a picture.

    One that a disk does not give back is none.
    """
    try:
        content = read_whole(path)
    except OSError:
        return None
    if not content.startswith(_PNG_START) or not content.endswith(_PNG_END):
        return None
    width, height = struct.unpack(">II", content[_IHDR_END - 8 : _IHDR_END])
    return Frame(
        region,
        product,
        str(path),
        len(content),
        hashlib.sha256(content).hexdigest(),
        width,
        height,
        0.0,
        values=read_values(path.with_suffix(VALUES_SUFFIX)),
        config_hash=_config_hash(content),
    )


def _config_hash(png: bytes) -> str:
    """What a picture says it was drawn by; "" of those that say nothing."""
    said = png.partition(_CONFIG_HASH)[2][:HASH_DIGITS]
    return said.decode() if len(said) == HASH_DIGITS and said.isalnum() else ""


def read_values(path: Path) -> ValueGridFile | None:
    """A whole value grid file; None where it is missing, unreadable, cut or something else."""
    try:
        content = read_whole(path)
        valuegrid.unpack(content)
    except (OSError, valuegrid.ValueGridError):
        return None
    return ValueGridFile(str(path), len(content), hashlib.sha256(content).hexdigest())
