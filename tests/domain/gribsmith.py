"""GRIB2 messages put together byte by byte, for what no real file has."""

import struct
from datetime import datetime

CYCLE = datetime(2026, 1, 29, 12)  # noqa: DTZ001 - GRIB has no zones


def section(number, body):
    return struct.pack(">IB", len(body) + 5, number) + body


def identification(reference=CYCLE, center=7):
    moment = struct.pack(
        ">HBBBBB",
        reference.year,
        reference.month,
        reference.day,
        reference.hour,
        reference.minute,
        reference.second,
    )
    return section(1, struct.pack(">HHBBB", center, 0, 2, 1, 1) + moment + b"\0\1")


def grid(ni=3, nj=2):
    head = struct.pack(">BIBBH", 0, ni * nj, 0, 0, 0)
    shape = struct.pack(">BBIBIBI", 6, 0, 0, 0, 0, 0, 0) + struct.pack(">II", ni, nj)
    corners = struct.pack(">IIIIBII", 0, 0, 50_000_000, 235_000_000, 48, 49_000_000, 237_000_000)
    return section(3, head + shape + corners + struct.pack(">IIB", 1_000_000, 1_000_000, 0))


def instant(category=0, number=0, hour=6, kind=103, value=2, unit=1, factor=0):
    times = struct.pack(">BBBHBBI", 2, 0, 96, 0, 0, unit, hour)
    surfaces = struct.pack(">BBI", kind, factor, value) + struct.pack(">BBI", 255, 0, 0)
    return section(4, struct.pack(">HHBB", 0, 0, category, number) + times + surfaces)


def interval(start, length, statistic=1, category=1, number=8, unit=1, length_unit=1, ranges=1):
    times = struct.pack(">BBBHBBI", 2, 0, 96, 0, 0, unit, start)
    surfaces = struct.pack(">BBI", 1, 0, 0) + struct.pack(">BBI", 255, 0, 0)
    end = struct.pack(">HBBBBB", 2026, 1, 29, 18, 0, 0) + struct.pack(">BI", ranges, 0)
    process = struct.pack(">BBBIBI", statistic, 2, length_unit, length, 1, 0)
    body = struct.pack(">HHBB", 0, 8, category, number) + times + surfaces
    return section(4, body + end + process * ranges)


def packing(values=6):
    return section(5, struct.pack(">IHfhhBB", values, 0, 273.15, 0, 0, 0, 0))


def bitmap(indicator=255):
    return section(6, bytes([indicator]))


DATA = section(7, b"")


def field(product=None, indicator=255):
    return grid() + (product or instant()) + packing() + bitmap(indicator) + DATA


def message(*parts, discipline=0, edition=2, length=None, end=b"7777"):
    """A message of the given sections; without any, of one field."""
    body = b"".join(parts) if parts else identification() + field()
    total = 16 + len(body) + len(end) if length is None else length
    return struct.pack(">4sHBBQ", b"GRIB", 0, discipline, edition, total) + body + end
