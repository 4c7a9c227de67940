"""The free air on a window's lattice at one time: pressure, temperature, heights, winds.

Temperature is a tracer: every point has the temperature of the latitude that its air comes from.
That latitude is displaced by slow planetary waves and wound up around each storm (the kinematic
vortex of Doswell 1984, in `swirl`). Of one straight polar front this makes warm sectors, trailing
cold fronts and occlusions. Winds follow from the heights.
"""

from functools import cached_property

import numpy as np

from twf_async.replica.atmosphere.arrays import Array, step
from twf_async.replica.atmosphere.column import (
    GRAVITY,
    Patterns,
    height_1000,
    temperature,
    thickness,
)
from twf_async.replica.atmosphere.swirl import Swirl, When, front_latitude, swirl
from twf_async.replica.atmosphere.window import Window

OMEGA = 7.292e-5
_SHARPEST_KM = 130.0  # half the width of a front that the air is squeezed into


class Flow:
    """Everything of the free air, computed when first asked for; arrays of the lattice's shape."""

    def __init__(self, window: Window, when: When) -> None:
        self.window = window
        self.when = when
        self._heights: dict[int, Array] = {}
        self._temperatures: dict[int, Array] = {}
        self._winds: dict[int, tuple[Array, Array]] = {}

    @cached_property
    def hemisphere(self) -> Array:
        """+1 north of 15 N, -1 south of 15 S, smooth between."""
        out: Array = np.clip(self.window.lattice.latitude / 15.0, -1.0, 1.0)
        return out

    @cached_property
    def coriolis(self) -> Array:
        """Coriolis parameter, s-1."""
        out: Array = np.float32(2 * OMEGA) * np.sin(np.radians(self.window.lattice.latitude))
        return out

    @cached_property
    def front_latitude(self) -> Array:
        """Where the polar front lies in the undisturbed air, degrees poleward."""
        return front_latitude(self.window.lattice.latitude, self.when.season)

    @cached_property
    def swirl(self) -> Swirl:
        """What storms and planetary waves do to the air, on the lattice."""
        coarse = swirl(self.window.coarse, self.when)
        refine = self.window.refine
        return Swirl(*(refine(getattr(coarse, name)) for name in Swirl.__slots__))

    @cached_property
    def origin_low(self) -> Array:
        """Degrees from the equator that the low air comes from."""
        ripple = self.swirl.ripple
        distance = np.abs(self.window.lattice.latitude)
        calm = step(distance, 8.0, 25.0)
        out: Array = np.clip(
            distance + calm * (self.swirl.low - self.swirl.waves + ripple), 0.0, 90.0
        )
        return out

    @cached_property
    def origin_up(self) -> Array:
        """Degrees from the equator that the upper air comes from."""
        distance = np.abs(self.window.lattice.latitude)
        calm = step(distance, 8.0, 25.0)
        out: Array = np.clip(distance + calm * (self.swirl.up - self.swirl.waves), 0.0, 90.0)
        return out

    @cached_property
    def patterns(self) -> Patterns:
        """The patterns that temperature and heights are made of."""
        seasonal = 0.76 + 0.24 * np.float32(self.when.season) * self.hemisphere
        return Patterns(
            cold_low=seasonal * np.sin(np.radians(self.origin_low)) ** 2,
            cold_up=seasonal * np.sin(np.radians(self.origin_up)) ** 2,
            front_low=self._front(self.origin_low, 1.6, _SHARPEST_KM),
            front_up=self._front(self.origin_up, 6.0, 420.0),
            continent=self._continent(),
        )

    def _front(self, origin: Array, width_deg: float, least_km: float) -> Array:
        """Rise from 0 to 2 across the polar front: *width_deg* wide in undisturbed air, and where
        the air is squeezed no narrower than *least_km*.
        """
        along_i, along_j = self.gradient(origin)
        squeezed = (along_i * along_i + along_j * along_j) * np.float32((1000.0 * least_km) ** 2)
        width = np.sqrt(np.float32(width_deg**2) + squeezed)
        out: Array = np.tanh((origin - self.front_latitude) / width) + 1.0
        return out

    def _continent(self) -> Array:
        share = step(np.abs(self.window.lattice.latitude), 20.0, 48.0)
        winter = np.float32(self.when.season) * self.hemisphere
        out: Array = (self.window.inland - np.float32(0.3)) * share * winter
        return out

    @cached_property
    def pressure(self) -> Array:
        """Pressure at mean sea level, hPa."""
        at = self.window.lattice
        latitude = at.latitude
        winter = np.float32(self.when.season)
        shift = 3.0 * winter
        total = (
            1012.0
            + 8.5 * np.exp(-(((latitude - 33.0 + shift) / 12.0) ** 2))
            - 5.0 * np.exp(-(((latitude - 61.0) / 11.0) ** 2))
            + 3.0 * step(latitude, 66.0, 90.0)
            + 8.0 * np.exp(-(((latitude + 31.0 + shift) / 11.0) ** 2))
            - 24.0 * np.exp(-(((latitude + 67.0) / 13.0) ** 2))
        )
        winter_cold = (self._continent() * 7.0).astype(np.float32)
        displaced = 1.7 * np.tanh(self.swirl.low / np.float32(7.0))
        trough = np.exp(-(((self.origin_low - self.front_latitude) / 3.2) ** 2))
        middle = step(np.abs(latitude), 12.0, 30.0)
        total = total + winter_cold
        # Two lows that meet are not twice as deep.
        total = total + 36.0 * np.tanh(self.swirl.pressure / np.float32(36.0))
        total += middle * (displaced + 0.45 * self.swirl.waves)
        total -= 1.9 * middle * trough * np.minimum(self.swirl.active, 1.2)
        out: Array = total.astype(np.float32)
        return out

    def temperature(self, level: int) -> Array:
        """Temperature at a pressure level (hPa, of column.LEVELS), K."""
        if level not in self._temperatures:
            self._temperatures[level] = temperature(self.patterns, level)
        return self._temperatures[level]

    def height(self, level: int) -> Array:
        """Geopotential height of a pressure level (hPa), gpm."""
        if level not in self._heights:
            base = height_1000(self.pressure, self.temperature(1000))
            self._heights[level] = base + thickness(self.patterns, level)
        return self._heights[level]

    def wind(self, level: int) -> tuple[Array, Array]:
        """Wind along i and j of the grid (j counted northward), m/s: nearly geostrophic."""
        if level not in self._winds:
            self._winds[level] = self._wind(self.height(level), level)
        return self._winds[level]

    def gradient(self, values: Array) -> tuple[Array, Array]:
        """Derivatives along i and j, per metre."""
        along_i, along_j = np.empty_like(values), np.empty_like(values)
        along_i[:, 1:-1] = values[:, 2:] - values[:, :-2]
        along_i[:, 0], along_i[:, -1] = along_i[:, 1], along_i[:, -2]
        along_j[1:-1] = values[2:] - values[:-2]
        along_j[0], along_j[-1] = along_j[1], along_j[-2]
        return along_i / (2.0 * self.window.di), along_j / (2.0 * self.window.dj)

    def vorticity(self, wind: tuple[Array, Array]) -> Array:
        """Relative vorticity of a wind, s-1."""
        _, du_dj = self.gradient(wind[0])
        dv_di, _ = self.gradient(wind[1])
        out: Array = dv_di - du_dj
        if self.window.grid.kind == "latlon":
            latitude = self.window.lattice.latitude
            tangent = np.tan(np.radians(np.clip(latitude, -88.0, 88.0)))
            out = out + wind[0] * tangent / np.float32(6.371e6)
            # Where the meridians meet, differences along i say nothing.
            out = out * step(np.abs(latitude), 89.0, 86.0)
        return out

    def _wind(self, height: Array, level: int) -> tuple[Array, Array]:
        latitude = self.window.lattice.latitude
        f = self.coriolis
        least = np.float32(2 * OMEGA * np.sin(np.radians(7.0)))
        away = step(np.abs(latitude), 3.0, 17.0)
        over_f = np.float32(GRAVITY) * np.sign(f) / np.sqrt(f * f + least * least) * away
        slope_i, slope_j = self.gradient(height)
        u, v = -over_f * slope_j, over_f * slope_i
        # Around a low the air turns faster than it moves: the gradient wind is below geostrophic.
        turning = self.vorticity((u, v)) * np.sign(f) / np.sqrt(f * f + least * least)
        slower = 1.0 / (1.0 + 0.4 * np.clip(turning, 0.0, 3.0))
        polar = step(np.abs(latitude), 89.9, 87.0)
        trade = (1.0 - away) * np.float32(-6.0 if level > 600 else 3.0 if level < 350 else -2.0)
        return (u * slower * polar + trade).astype(np.float32), (v * slower * polar).astype(
            np.float32
        )
