"""Land, sea and the height of the ground: sampled from `geography` at any points."""

from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from twf_async.replica.atmosphere import geography
from twf_async.replica.atmosphere.arrays import Array, step
from twf_async.replica.atmosphere.texture import mercator, sample

_PER_DEGREE = 20  # pixels of the land mask
_KM_PER_DEG = 111.195
_SHARP = 3.0  # exponent by which overlapping ridges join: their maximum, rounded off
_REACH = 3.2  # widths after which a ridge has ended


def _ring(text: str) -> npt.NDArray[np.float64]:
    return np.array([pair.split(",") for pair in text.split()], dtype=np.float64)


@cache
def _mask(blur_deg: float) -> npt.NDArray[np.uint8] | Array:
    """Share of land, 255 for all, on a global raster from the south pole and 180 W."""
    height, width = 180 * _PER_DEGREE, 360 * _PER_DEGREE
    raster = np.zeros((height, width), dtype=np.uint8)
    for value, rings in ((255, geography.LAND), (0, geography.WATER)):
        for text in rings:
            corners = (_ring(text) + np.array([180.0, 90.0])) * _PER_DEGREE
            cv2.fillPoly(raster, [np.rint(corners).astype(np.int32)], value)
    if blur_deg < 1.0:
        sharp = cv2.GaussianBlur(raster, (0, 0), blur_deg * _PER_DEGREE)
        return np.asarray(sharp, dtype=np.uint8)
    # Continents: coarse is enough, and fast.
    small = cv2.resize(raster, (720, 360), interpolation=cv2.INTER_AREA)
    wide = np.concatenate([small[:, -120:], small, small[:, :120]], axis=1)
    blurred = cv2.GaussianBlur(wide.astype(np.float32), (0, 0), blur_deg * 2.0)[:, 120:-120]
    coarse = cv2.resize(blurred, (width // 4, height // 4), interpolation=cv2.INTER_LINEAR)
    return np.asarray(coarse, dtype=np.float32)


def land_share(latitude: Array, longitude: Array, *, blur_deg: float) -> Array:
    """Return how much of the surroundings is land, 0..1; *blur_deg* says how wide they are."""
    mask = _mask(blur_deg)
    per_degree = mask.shape[1] / 360.0
    columns = np.mod(longitude + 180.0, 360.0) * per_degree - 0.5
    rows = (latitude + 90.0) * per_degree - 0.5
    out = cv2.remap(
        mask,
        columns.astype(np.float32),
        rows.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(out, dtype=np.float32) / np.float32(255.0)


def elevation(latitude: Array, longitude: Array, land: Array, *, grain_km: float) -> Array:
    """Return the height of the ground, m, as a model with a grid of *grain_km* has it."""
    west = np.mod(longitude + 180.0, 360.0) - 180.0
    total = np.zeros(latitude.shape, dtype=np.float32)
    for height, width_km, text in geography.RIDGES:
        widened = float(np.hypot(width_km, 0.6 * grain_km))
        _add_ridge(total, latitude, west, height * width_km / widened, widened, _ring(text))
    ice = 2900.0 * step(-latitude, 66.0, 82.0)
    height_m = np.cbrt(total + ice.astype(np.float32) ** 3)
    x, y = longitude, mercator(latitude)
    rough = sample(x, y, texel=0.25, seed=11, slope=1.3, coarsest=12)
    if grain_km < 10.0:
        rough = 0.6 * rough + 0.8 * sample(x, y, texel=0.03125, seed=12, slope=1.4, coarsest=24)
    rugged = step(height_m, 150.0, 1500.0)
    shaped = height_m * (1.0 + 0.17 * rugged * rough) + 25.0 + 18.0 * rough
    out: Array = np.maximum(shaped, 2.0).astype(np.float32) * step(land, 0.15, 0.75)
    return out


def _add_ridge(
    total: Array,
    latitude: Array,
    longitude: Array,
    height: float,
    width_km: float,
    crest: npt.NDArray[np.float64],
) -> None:
    """Add a ridge's height (to the power of _SHARP) where it reaches."""
    reach = _REACH * width_km / _KM_PER_DEG
    south, north = crest[:, 1].min() - reach, crest[:, 1].max() + reach
    along = reach / max(0.2, np.cos(np.radians(min(85.0, np.abs(crest[:, 1]).max() + reach))))
    west, east = crest[:, 0].min() - along, crest[:, 0].max() + along
    near = (latitude >= south) & (latitude <= north) & (longitude >= west) & (longitude <= east)
    rows = np.flatnonzero(near.any(axis=1))
    if not rows.size:
        return
    columns = np.flatnonzero(near.any(axis=0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    lat, lon = latitude[window], longitude[window]
    shrink = np.cos(np.radians(lat))
    squared = np.full(lat.shape, np.inf, dtype=np.float32)
    for (lon0, lat0), (lon1, lat1) in pairwise(crest):
        px = (lon - lon0) * shrink
        py = lat - lat0
        sx, sy = (lon1 - lon0) * shrink, lat1 - lat0
        t = np.clip((px * sx + py * sy) / (sx * sx + sy * sy), 0.0, 1.0)
        squared = np.minimum(squared, (px - t * sx) ** 2 + (py - t * sy) ** 2)
    squared *= (_KM_PER_DEG / width_km) ** 2
    shape = np.exp(-squared) * np.clip(1.0 - squared / _REACH**2, 0.0, 1.0)
    total[window] += (np.float32(height) * shape) ** np.float32(_SHARP)
