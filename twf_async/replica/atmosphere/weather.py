"""Weather of one window at one time: what `rain`, `surface`, `sky` and `fields` share.

Computes each ingredient once. Lattice arrays end in _l, all others are on the grid points.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twf_async.replica.atmosphere.arrays import Array, step
from twf_async.replica.atmosphere.flow import Flow
from twf_async.replica.atmosphere.swirl import When
from twf_async.replica.atmosphere.texture import moving
from twf_async.replica.atmosphere.window import Window


@dataclass(frozen=True, slots=True)
class Flavour:
    """How a model differs from the others.

    detail   how much of the small scales it has, 0..1
    fine     whether it resolves showers
    no_echo  reflectivity where there is none, dBZ
    exclusive  whether only one precipitation type is set at a point
    """

    detail: float
    fine: bool
    no_echo: float
    exclusive: bool


class Weather:
    """One window at one time; everything is computed when first asked for."""

    def __init__(self, window: Window, when: When, flavour: Flavour) -> None:
        self.window = window
        self.when = when
        self.flavour = flavour
        self.flow = Flow(window, when)
        self._up: dict[tuple[str, int], Array] = {}

    def temperature(self, level: int) -> Array:
        """Temperature on a pressure level, K, at the grid points."""
        key = ("t", level)
        if key not in self._up:
            self._up[key] = self.window.up(self.flow.temperature(level))
        return self._up[key]

    def height(self, level: int) -> Array:
        """Height of a pressure level, gpm, at the grid points."""
        key = ("z", level)
        if key not in self._up:
            self._up[key] = self.window.up(self.flow.height(level))
        return self._up[key]

    def wind(self, level: int) -> tuple[Array, Array]:
        """Wind on a pressure level along i and j, m/s, at the grid points."""
        if ("v", level) not in self._up:  # comes last: other threads may be asking just now
            for name, part in zip("uv", self.flow.wind(level), strict=True):
                self._up[name, level] = self.window.up(part)
        return self._up["u", level], self._up["v", level]

    @cached_property
    def steering(self) -> tuple[Array, Array]:
        """Wind that carries showers, eastward and northward, m/s, at the grid points."""
        u, v = self.wind(700)
        if self.window.grid.kind == "latlon":
            return u * np.float32(0.85), v * np.float32(0.85)
        cos, sin = np.cos(self.window.turn), np.sin(self.window.turn)
        east, north = u * cos + v * sin, v * cos - u * sin
        return east * np.float32(0.85), north * np.float32(0.85)

    @cached_property
    def grain(self) -> Array:
        """Noise of 60 to 1000 km that moves with the flow, deviation 1."""
        return self._moving(0.25, 31, coarsest=40, finest=4)

    @cached_property
    def broad(self) -> Array:
        """Noise of 700 to 2000 km, deviation about 0.6."""
        return self.window.up(self.flow.swirl.ripple)

    @cached_property
    def fine_grain(self) -> Array:
        """Noise of 12 to 150 km that moves with the flow, deviation 1; 0 where not resolved."""
        if not self.flavour.fine:
            return np.zeros_like(self.window.elevation)
        return self._moving(0.03125, 32, coarsest=70, finest=6)

    def _moving(self, texel: float, seed: int, *, coarsest: int, finest: int) -> Array:
        at = self.window.at
        return moving(
            at.longitude,
            at.northing,
            at.latitude,
            self.steering,
            self.when.time_h,
            texel=texel,
            seed=seed,
            slope=1.8 if texel > 0.1 else 2.1,
            coarsest=coarsest,
            finest=finest,
            life_h=9.0 if texel > 0.1 else 3.0,
        )

    @cached_property
    def cold_air(self) -> Array:
        """0..1: how much the low air comes from higher latitudes than it is at."""
        displaced = self.flow.origin_low - np.abs(self.window.lattice.latitude)
        return self.window.up(step(displaced, 0.5, 6.0))

    @cached_property
    def warm_advection(self) -> Array:
        """Warm advection at 850 hPa, K/h, at the grid points."""
        return self.window.up(self.warm_advection_l)

    @cached_property
    def warm_advection_l(self) -> Array:
        """Warm advection at 850 hPa, K/h, on the lattice."""
        u, v = self.flow.wind(850)
        along_i, along_j = self.flow.gradient(self.flow.temperature(850))
        out: Array = np.float32(-3600.0) * (u * along_i + v * along_j)
        return out

    @cached_property
    def lift(self) -> Array:
        """How strongly the air rises: about 0 in fair weather, 1 in steady rain, 3 at fronts."""
        flow = self.flow
        active = np.minimum(flow.swirl.active, 1.2)
        ahead = (flow.origin_low - flow.front_latitude + 0.9) / np.float32(1.15)
        band = np.exp(-(ahead * ahead)) * active
        turning = flow.vorticity(flow.wind(850)) * np.sign(flow.coriolis) * np.float32(1e4)
        spin = np.clip(turning - 0.5, 0.0, 2.5) * np.minimum(flow.swirl.core * 1.3, 1.0)
        warm = np.clip(self.warm_advection_l, -0.6, 2.6)
        middle = step(np.abs(self.window.lattice.latitude), 15.0, 28.0)
        total = middle * (0.95 * warm * (0.35 + 0.65 * active) + 1.35 * band + 0.8 * spin) - 0.64
        return self.window.up(total.astype(np.float32))

    @cached_property
    def upslope(self) -> Array:
        """Vertical wind that the ground forces on the air at 850 hPa, m/s."""
        u, v = self.wind(850)
        out: Array = u * self.window.slope[0] + v * self.window.slope[1]
        return out

    @cached_property
    def sun(self) -> tuple[Array, Array]:
        """Warmth of the hour (-1 before sunrise, 1 in the afternoon) and of the day's sun, 0..1."""
        at = self.window.at
        local = at.longitude / np.float32(15.0) + np.float32(self.when.hour_utc)
        hour = np.cos((local - np.float32(14.8)) * np.float32(np.pi / 12.0))
        # Sharper by day than by night, as observed curves are.
        hour = hour + 0.22 * (np.cos((local - np.float32(14.8)) * np.float32(np.pi / 6.0)) - 0.2)
        noon = np.cos(np.radians(at.latitude - np.float32(self.when.declination)))
        return hour.astype(np.float32), np.clip(noon, 0.08, 1.0)
