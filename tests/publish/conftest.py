"""Staged frames as a worker leaves them."""

import hashlib
import struct
import zlib

import pytest

from render_farm.domain.jobs import Frame, HourRendered, ValueGridFile
from render_farm.domain.valuegrid import Header, pack


def png(text: str) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 0))
    body = chunk(b"tEXt", b"t\0" + text.encode()) + chunk(b"IDAT", zlib.compress(b"\0abc\0abc"))
    return b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b"")


def vgrid(text: str) -> bytes:
    """A value grid of two by two cells."""
    header = Header.model_validate(
        {
            "model": "gfs",
            "cycle": "2026012912",
            "hour": 6,
            "valid_time": "2026-01-29T18:00Z",
            "region": "pnw",
            "product": "t2m",
            "unit": "K",
            "title": text,
            "grid": {
                "kind": "latlon",
                "crs": "+proj=longlat +R=6371229.0 +no_defs",
                "nx": 2,
                "ny": 2,
                "x0": -120.0,
                "y0": 45.0,
                "dx": 0.25,
                "dy": -0.25,
            },
            "planes": [{"name": "values", "bytes": 2, "predictor": "median", "scale": 0.05}],
        }
    )
    return pack(header, {"values": bytes(range(8))})


def staged_values(path, text):
    content = vgrid(text)
    path.write_bytes(content)
    return ValueGridFile(str(path), len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def staged():
    """`staged(directory, cycle, hour)`: frames of two regions and two products, written."""

    def write(directory, cycle="2026012912", hour=6, text="", failures=(), *, values=True):
        directory.mkdir(parents=True, exist_ok=True)
        frames = []
        for region in ("pnw", "conus"):
            for product in ("t2m", "refc"):
                if (region, product) in {(f.region, f.product) for f in failures}:
                    continue
                path = directory / f"{region}.{product}.png"
                name = f"{text}{cycle}{hour}{region}{product}"
                content = png(name)
                path.write_bytes(content)
                digest = hashlib.sha256(content).hexdigest()
                beside = staged_values(path.with_suffix(".vgrid"), name) if values else None
                frames.append(
                    Frame(
                        region,
                        product,
                        str(path),
                        len(content),
                        digest,
                        3,
                        2,
                        0.01,
                        values=beside,
                    )
                )
        return HourRendered("gfs", cycle, hour, tuple(frames), tuple(failures), 0.1, 0.2, 90.0, 1)

    return write
