"""Staged frames as a worker leaves them."""

import hashlib
import struct
import zlib

import pytest

from render_farm.domain.jobs import Frame, HourRendered


def png(text: str) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 0))
    body = chunk(b"tEXt", b"t\0" + text.encode()) + chunk(b"IDAT", zlib.compress(b"\0abc\0abc"))
    return b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b"")


@pytest.fixture
def staged():
    """`staged(directory, cycle, hour)`: frames of two regions and two products, written."""

    def write(directory, cycle="2026012912", hour=6, text="", failures=()):
        directory.mkdir(parents=True, exist_ok=True)
        frames = []
        for region in ("pnw", "conus"):
            for product in ("t2m", "refc"):
                if (region, product) in {(f.region, f.product) for f in failures}:
                    continue
                path = directory / f"{region}.{product}.png"
                content = png(f"{text}{cycle}{hour}{region}{product}")
                path.write_bytes(content)
                digest = hashlib.sha256(content).hexdigest()
                frames.append(Frame(region, product, str(path), len(content), digest, 3, 2, 0.01))
        return HourRendered("gfs", cycle, hour, tuple(frames), tuple(failures), 0.1, 0.2, 90.0, 1)

    return write
