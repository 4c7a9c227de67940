"""Samples a field at the pixels of a map.

Bicubic (a = -0.75), bilinear or nearest, by OpenCV's exact kernels (its fixed-point maps would be
1/32 of a cell off). Where one source cell covers many pixels, the window is first enlarged by the
kernel: bicubic sampling then is linear, the same curve at a third of the cost, and bilinear and
nearest come out as they would without. Missing cells (NaN) never bleed into their neighbours.
"""

from dataclasses import dataclass
from typing import Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.draw.pixelmap import PixelMap

cv2.setNumThreads(1)  # a slot is one core; helper threads would only add switching, and break fork

Sampling = Literal["cubic", "linear", "nearest"]

CODES = 65535  # steps of a sampled field
FILL_STEPS = 6  # cells that values spread into missing ground: the reach of a bicubic kernel
_FLAGS = {"cubic": cv2.INTER_CUBIC, "linear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST}

Window = NDArray[np.float32]
T = TypeVar("T", np.float32, np.uint16, np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """A field at the pixels, as 16-bit steps: value = first + code * step, in the field's unit.

    codes    uint16 (h, w)
    missing  bool (h, w), True where there is no value; None where there is one everywhere
    cells_per_px  source cells that one pixel spans
    The step is 1/65535 of the range of the values, or of twice it: below what GRIB packing leaves.
    """

    codes: NDArray[np.uint16]
    first: float
    step: float
    missing: NDArray[np.bool_] | None
    cells_per_px: float

    def at_least(self, value: float) -> NDArray[np.bool_]:
        """Where the field is not below *value*, bool (h, w); what is missing counts as below."""
        code = int(np.clip(np.rint((value - self.first) / self.step), 0, CODES + 1))
        above = self.codes >= code
        return above if self.missing is None else above & ~self.missing

    def values(self, step_px: int = 1) -> NDArray[np.float32]:
        """float32 values of every *step_px*-th pixel, NaN where missing."""
        codes = self.codes[::step_px, ::step_px]
        out = codes.astype(np.float32) * np.float32(self.step) + np.float32(self.first)
        if self.missing is not None:
            out[self.missing[::step_px, ::step_px]] = np.nan
        return out


def sample(values: NDArray[np.float32], pixels: PixelMap, sampling: Sampling) -> Sampled | None:
    """Sample *values* (ny, nx) at every pixel; None where the window holds no value at all.

    What is nowhere negative in the window (amounts, speeds) is not made so by a bicubic kernel.
    """
    window, valid = _prepared(values, pixels)
    if window is None:
        return None
    low, high = (float(edge) for edge in cv2.minMaxLoc(window)[:2])
    if sampling == "cubic":  # the kernel overshoots by up to 0.4 of a jump
        reach = 0.5 * (high - low)
        low, high = (max(low - reach, 0.0) if low >= 0 else low - reach), high + reach
    # A constant field needs a step too: far below any level, or zero rain would count as rain.
    step = max((high - low) / CODES, max(abs(low), 1e-6) * 1e-7)
    # As steps from here on: a quarter of the work per pixel, and what goes below 0 stays at 0.
    codes = ((window - np.float32(low)) * np.float32(1 / step) + np.float32(0.5)).astype(np.uint16)
    flag = _FLAGS[sampling]
    if pixels.refine > 1:
        codes = _enlarged(codes, pixels.refine, flag)
        flag = cv2.INTER_LINEAR if sampling == "cubic" else flag
    codes = _remap(codes, pixels, flag)
    return Sampled(codes, low, step, _missing(valid, pixels), pixels.cells_per_px)


def sample_float(
    values: NDArray[np.float32], pixels: PixelMap, sampling: Sampling
) -> NDArray[np.float32] | None:
    """As `sample`, as float32 (h, w) with missing ground filled from around; for small lattices.

    Needs an unrefined map.
    """
    window, _ = _prepared(values, pixels)
    return None if window is None else _remap(window, pixels, _FLAGS[sampling])


def missing_at(values: NDArray[np.float32], pixels: PixelMap) -> NDArray[np.bool_] | None:
    """Where `sample_float` gives no value of the field but one filled in; None for nowhere."""
    _, valid = _prepared(values, pixels)
    return _missing(valid, pixels)


def sample_classes(window: NDArray[np.uint8], pixels: PixelMap) -> NDArray[np.uint8]:
    """Nearest class (uint8) at every pixel.

    window   already `pixels.window(...)` of the classes
    """
    if pixels.refine > 1:
        window = _enlarged(window, pixels.refine, cv2.INTER_NEAREST)
    return _remap(window, pixels, cv2.INTER_NEAREST)


def sample_at(
    values: NDArray[np.float32],
    column: NDArray[np.float64],
    row: NDArray[np.float64],
    *,
    cyclic: bool,
) -> NDArray[np.float32]:
    """Bilinear values at source coordinates (n,); NaN beside missing cells and off the grid."""
    ny, nx = values.shape
    inside = (row >= -0.5) & (row <= ny - 0.5)
    if not cyclic:
        inside &= (column >= -0.5) & (column <= nx - 0.5)
    column, row = np.where(inside, column, 0.0), np.where(inside, row, 0.0)
    if not cyclic:
        column = np.clip(column, 0, nx - 1)
    row = np.clip(row, 0, ny - 1)
    c0, r0 = np.floor(column).astype(np.intp), np.floor(row).astype(np.intp)
    fc, fr = column - c0, row - r0
    c1 = (c0 + 1) % nx if cyclic else np.minimum(c0 + 1, nx - 1)
    r1 = np.minimum(r0 + 1, ny - 1)
    c0 = c0 % nx
    upper = values[r0, c0] * (1 - fc) + values[r0, c1] * fc
    lower = values[r1, c0] * (1 - fc) + values[r1, c1] * fc
    return np.where(inside, upper * (1 - fr) + lower * fr, np.nan).astype(np.float32)


def _remap(window: NDArray[T], pixels: PixelMap, flag: int) -> NDArray[T]:
    out = cv2.remap(window, pixels.columns, pixels.rows, flag, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, window.dtype)


def _enlarged(window: NDArray[T], times: int, flag: int) -> NDArray[T]:
    out = cv2.resize(window, None, fx=times, fy=times, interpolation=flag)
    return np.asarray(out, window.dtype)


def _prepared(
    values: NDArray[np.float32], pixels: PixelMap
) -> tuple[Window | None, NDArray[np.float32] | None]:
    """The window with missing cells filled, and where it was valid (None: everywhere)."""
    window = pixels.window(values)
    if np.isfinite(window.sum()):  # one pass; a NaN or infinity anywhere shows in the sum
        return window, None
    finite = np.isfinite(window)
    if not finite.any():
        return None, None
    if finite.all():  # only the sum overflowed
        return window, None
    return _filled(np.where(finite, window, np.float32(0)), finite), finite.astype(np.float32)


def _filled(window: Window, finite: NDArray[np.bool_]) -> Window:
    """Missing cells take the mean of their known neighbours, from the shore inwards."""
    known = finite.astype(np.float32)
    out = window
    for _ in range(FILL_STEPS):
        weight = cv2.blur(known, (3, 3), borderType=cv2.BORDER_REPLICATE)
        total = cv2.blur(out * known, (3, 3), borderType=cv2.BORDER_REPLICATE)
        new = (known == 0) & (weight > 1e-6)
        out = np.where(new, total / np.maximum(weight, np.float32(1e-6)), out)
        known[new] = 1.0
    mean = np.float32(window[finite].mean())
    return np.where(known > 0, out, mean).astype(np.float32)


def _missing(valid: NDArray[np.float32] | None, pixels: PixelMap) -> NDArray[np.bool_] | None:
    missing = None if pixels.outside is None else pixels.outside != 0
    if valid is None:
        return missing
    if pixels.refine > 1:
        valid = _enlarged(valid, pixels.refine, cv2.INTER_LINEAR)
    gone = _remap(valid, pixels, cv2.INTER_LINEAR) < np.float32(0.5)
    return gone if missing is None else missing | gone
