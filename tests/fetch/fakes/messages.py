"""Small whole GRIB files and the inventories that belong to them."""

from datetime import datetime

from render_farm.domain.fields import MessageKey, Statistic
from tests.domain import gribsmith

CYCLE = "2026012912"
WHOLE_GRID = (1440, 721)
CUT_OUT = (69, 34)

T2M = MessageKey("TMP", "2 m above ground", 6, 6, Statistic.INSTANT)
T850 = MessageKey("TMP", "850 mb", 6, 6, Statistic.INSTANT)
PRMSL = MessageKey("PRMSL", "mean sea level", 6, 6, Statistic.INSTANT)
TOTAL = MessageKey("APCP", "surface", 0, 6, Statistic.ACCUMULATION)
U10 = MessageKey("UGRD", "10 m above ground", 6, 6, Statistic.INSTANT)

_PRODUCTS = {
    T2M: gribsmith.instant(0, 0, 6, kind=103, value=2),
    T850: gribsmith.instant(0, 0, 6, kind=100, value=85000),
    PRMSL: gribsmith.instant(3, 1, 6, kind=101, value=0),
    TOTAL: gribsmith.interval(0, 6),
    U10: gribsmith.instant(2, 2, 6, kind=103, value=10),
}


def message(key, *, cycle=CYCLE, grid=WHOLE_GRID, payload=b""):
    """One GRIB2 message of a constant field; *payload* makes it longer."""
    reference = datetime.strptime(cycle, "%Y%m%d%H")  # noqa: DTZ007 - GRIB has no zones
    return gribsmith.message(
        gribsmith.identification(reference),
        gribsmith.grid(*grid),
        _PRODUCTS[key],
        gribsmith.packing(grid[0] * grid[1]),
        gribsmith.bitmap(),
        gribsmith.section(7, payload),
    )


def idx_of(*fields, cycle=CYCLE):
    """The inventory of a file made of (key, message) pairs."""
    rows, offset = [], 0
    for number, (key, content) in enumerate(fields, 1):
        rows.append(f"{number}:{offset}:d={cycle}:{key}:\n")
        offset += len(content)
    return "".join(rows)


def file_of(*keys, payload_bytes=3000, **kwargs):
    """A whole file and its inventory."""
    payload = bytes(range(250)) * (payload_bytes // 250)
    fields = [(key, message(key, payload=payload, **kwargs)) for key in keys]
    return b"".join(content for _, content in fields), idx_of(*fields)
