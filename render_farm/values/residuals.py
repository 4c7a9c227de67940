"""A reversible predictor: codes of smooth fields become small numbers, which deflate packs well.

The median edge detector of LOCO-I (Weinberger, Seroussi, Sapiro 2000; ITU-T T.87): a cell is
foretold from its left, upper and upper left neighbours as the median of a, b and a + b - c. All
arithmetic is modulo 2^16, so nothing can overflow and every field comes back as it was.
"""

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint16]
BAND_CELLS = 1 << 16  # at a time: what fits into the processor's cache


def to_bytes(codes: Codes) -> bytes:
    """Residuals of (ny, nx) uint16 codes: all low bytes, then all high bytes, row by row."""
    ny, nx = codes.shape
    planes = np.empty((2, ny, nx), np.uint8)
    height = max(BAND_CELLS // nx, 1)
    for top in range(0, ny, height):
        above = min(top, 1)  # a row more, to foretell the first one from
        band = codes[top - above : top + height]
        signed = (band - _foretold(band))[above:].view(np.int16)
        folded = ((signed << 1) ^ (signed >> 15)).view(np.uint16)  # 0, -1, 1, -2 -> 0, 1, 2, 3
        planes[0, top : top + height] = folded & 0xFF
        planes[1, top : top + height] = folded >> 8
    return planes.tobytes()


def from_bytes(data: bytes, shape: tuple[int, int]) -> Codes:
    """The codes of (ny, nx) again; *data* must be 2 * ny * nx bytes."""
    low, high = np.frombuffer(data, np.uint8).reshape(2, -1).astype(np.uint16)
    folded = (low | (high << 8)).reshape(shape)
    residuals = (folded >> 1) ^ (np.uint16(0) - (folded & np.uint16(1)))
    return _unfold(residuals.astype(np.uint16))


def _foretold(codes: Codes) -> Codes:
    """What the neighbours let expect: the first row knows its left one, the first column the upper.

    a, b, c as in T.87. Where c is the largest or smallest the median is the other end of a, b.
    """
    out = np.zeros_like(codes)
    out[0, 1:] = codes[0, :-1]
    out[1:, 0] = codes[:-1, 0]
    out[1:, 1:] = _median(codes[1:, :-1], codes[:-1, 1:], codes[:-1, :-1])
    return out


def _median(a: Codes, b: Codes, c: Codes) -> Codes:
    lower, upper = np.minimum(a, b), np.maximum(a, b)
    # upper for a small c, lower for a large one, else a + b - c
    return np.asarray(lower + (upper - np.clip(c, lower, upper)))


def _unfold(residuals: Codes) -> Codes:
    """Undo the prediction, one anti-diagonal after the other: its cells need only earlier ones."""
    ny, nx = residuals.shape
    codes = residuals.copy()
    np.cumsum(residuals[0], dtype=np.uint16, out=codes[0])
    np.cumsum(residuals[:, 0], dtype=np.uint16, out=codes[:, 0])
    flat = codes.reshape(-1)
    for diagonal in range(2, ny + nx - 1):
        row = np.arange(max(1, diagonal - nx + 1), min(ny - 1, diagonal - 1) + 1)
        cells = row * (nx - 1) + diagonal
        flat[cells] += _median(flat[cells - 1], flat[cells - nx], flat[cells - nx - 1])
    return codes
