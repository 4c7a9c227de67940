"""Interpolation in float64 as drawing is meant to do it: the truth that pictures are held to."""

import numpy as np


def cubic_weight(distance):
    """OpenCV's bicubic kernel, a = -0.75."""
    a, t = -0.75, np.abs(distance)
    inner = (a + 2) * t**3 - (a + 3) * t**2 + 1
    outer = a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a
    return np.where(t <= 1, inner, np.where(t < 2, outer, 0.0))


def linear_weight(distance):
    """Bilinear."""
    return np.maximum(1 - np.abs(distance), 0.0)


def reference_value(values, column, row, kernel, *, cyclic=False):
    """Interpolate in float64 at source coordinates (n,); edges repeat, cyclic columns wrap.

    kernel  "cubic", "linear" or "nearest"
    """
    ny, nx = values.shape
    if kernel == "nearest":
        column, row = np.rint(column), np.rint(row)
    weight = cubic_weight if kernel == "cubic" else linear_weight
    c0, r0 = np.floor(column).astype(int), np.floor(row).astype(int)
    total = np.zeros(column.shape)
    for dr in range(-1, 3):
        for dc in range(-1, 3):
            c = (c0 + dc) % nx if cyclic else np.clip(c0 + dc, 0, nx - 1)
            r = np.clip(r0 + dr, 0, ny - 1)
            part = values[r, c].astype(np.float64)
            total += part * weight(column - (c0 + dc)) * weight(row - (r0 + dr))
    return total
