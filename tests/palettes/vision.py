"""How colours look to eyes with a colour-vision deficiency, and how far apart colours are.

G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, "A Physiologically-based Model for Simulation
of Color Vision Deficiency", IEEE Transactions on Visualization and Computer Graphics 15 (6), 2009:
the matrices of severity 1.0, which act on linear sRGB. Distances are Euclidean in OKLab, where 0.02
is about what a trained eye just tells apart between areas that touch.
"""

import numpy as np
from numpy.typing import NDArray

from render_farm.draw.colours import RGB, oklab

Float = NDArray[np.float64]

MACHADO = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
DEFICIENCIES = tuple(MACHADO)


def simulated(colours: list[RGB], deficiency: str | None) -> Float:
    """(n, 3) sRGB 0..255 of *colours* as seen with *deficiency*; None: as they are."""
    srgb = np.array(colours, np.float64)
    if deficiency is None:
        return srgb
    unit = srgb / 255
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(MACHADO[deficiency]).T, 0, 1)
    encoded = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    return np.asarray(encoded * 255)


def lightness(colours: list[RGB]) -> Float:
    """OKLab lightness 0..1 of each of *colours*."""
    return np.asarray(oklab(np.array(colours))[:, 0])


def distances(colours: list[RGB], others: list[RGB], deficiency: str | None = None) -> Float:
    """(n, m) OKLab distances between *colours* and *others*, both seen with *deficiency*."""
    a, b = (oklab(simulated(list(part), deficiency)) for part in (colours, others))
    return np.asarray(np.linalg.norm(a[:, None, :] - b[None, :, :], axis=2))
