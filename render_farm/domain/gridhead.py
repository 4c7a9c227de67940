"""Section 3 of a GRIB2 message: on which points its values lie, as far as headers need to know.

What a projection means is decode's affair.
"""

import hashlib
import struct
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GridHead:
    """Section 3, as far as it tells grids apart.

    digest    of the whole section: equal digests, equal grids
    template  grid definition template (0 lat/lon, 10 Mercator, 20 polar stereographic, 30 Lambert)
    corners   (latitude, longitude) in degrees of the first and the last point of a lat/lon grid
              in scanning order, longitudes as written (0..360); None for other templates
    """

    digest: str
    template: int
    ni: int
    nj: int
    points: int
    corners: tuple[tuple[float, float], tuple[float, float]] | None


def parse_grid(section: bytes) -> GridHead:
    """Read section 3, its five octets of length and number included.

    raises  struct.error where it is shorter than its template
    """
    points, _, _, template = struct.unpack_from(">IBBH", section, 6)
    ni = nj = 0
    if len(section) >= 38:
        ni, nj = struct.unpack_from(">II", section, 30)
    corners = None
    if template == 0:
        la1, lo1, _, la2, lo2 = struct.unpack_from(">IIBII", section, 46)
        corners = (_degrees(la1), _degrees(lo1)), (_degrees(la2), _degrees(lo2))
    digest = hashlib.blake2b(section, digest_size=16).hexdigest()
    return GridHead(digest, template, ni, nj, points, corners)


def _degrees(raw: int) -> float:
    return (-(raw & 0x7FFFFFFF) if raw & 0x80000000 else raw) / 1e6
