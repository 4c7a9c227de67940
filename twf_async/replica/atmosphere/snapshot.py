"""All that can be seen and measured in one window at one moment, each computed once."""

from functools import cached_property
from itertools import pairwise

import numpy as np

from twf_async.replica.atmosphere import moist, rain, surface
from twf_async.replica.atmosphere.arrays import Array, Mask, softplus, step
from twf_async.replica.atmosphere.swirl import When
from twf_async.replica.atmosphere.weather import Flavour, Weather
from twf_async.replica.atmosphere.window import Window


class Snapshot:
    """Fields at the grid points of *window*, SI units unless said."""

    def __init__(self, window: Window, when: When, flavour: Flavour) -> None:
        self.weather = Weather(window, when, flavour)
        self.window = window

    @cached_property
    def rate(self) -> Array:
        """Precipitation rate, mm/h."""
        return rain.rate(self.weather)

    @cached_property
    def cover(self) -> Array:
        """Total cloud cover, 0..1; rain has clouds."""
        return np.maximum(surface.cloud(self.weather), step(self.rate, 0.0, 0.4))

    @cached_property
    def ground(self) -> Array:
        """Temperature at 2 m, K."""
        dry = surface.temperature(self.weather, surface.cloud(self.weather))
        # Falling rain evaporates and snow melts into the air below.
        out: Array = dry - np.float32(1.1) * self.rate / (self.rate + np.float32(1.0))
        return out

    @cached_property
    def kinds(self) -> tuple[Mask, Mask, Mask, Mask]:
        """What falls if anything does: rain, snow, sleet, freezing rain; one of them."""
        rainy, snow, sleet, freezing = rain.kinds(self.weather, self.ground)
        return rainy, snow, sleet, freezing

    @cached_property
    def humidity(self) -> Array:
        """Relative humidity at 2 m, 0..1."""
        return surface.humidity(self.weather, self.cover, self.rate)

    @cached_property
    def dewpoint(self) -> Array:
        """Dewpoint at 2 m, K."""
        return moist.dewpoint(self.ground, self.humidity)

    @cached_property
    def wind(self) -> tuple[Array, Array]:
        """Wind at 10 m along i and j of the grid, m/s."""
        return surface.wind(self.weather)

    @cached_property
    def gust(self) -> Array:
        """Gust, m/s."""
        return surface.gust(self.weather, np.hypot(*self.wind), self.rate)

    @cached_property
    def echo(self) -> Array:
        """Composite reflectivity, dBZ."""
        return rain.reflectivity(self.weather, self.rate, self.kinds[1])

    @cached_property
    def pressure(self) -> Array:
        """Pressure at mean sea level, hPa."""
        return self.window.up(self.weather.flow.pressure)

    @cached_property
    def ground_pressure(self) -> Array:
        """Pressure at the ground, hPa, by the barometric formula from sea level."""
        mean = self.ground + np.float32(0.00325) * self.window.elevation
        drop = np.float32(9.80665 / 287.05) * self.window.elevation / mean
        out: Array = self.pressure * np.exp(-drop)
        return out

    def air_humidity(self, level: int) -> Array:
        """Relative humidity on a pressure level, 0..1: wet where air rises, dry where it sinks."""
        weather = self.weather
        high = np.float32(min(1.0, max(0.0, (850.0 - level) / 350.0)))
        noise = 0.07 * weather.grain + 0.03 * weather.fine_grain + 0.16 * weather.broad
        dry = weather.cold_air * (0.12 + 0.33 * high)
        rising = step(weather.lift + 0.25 * noise, -1.0, 0.7)
        tropics = step(weather.temperature(850), 284.0, 292.0) * (0.12 - 0.1 * high)
        base = 0.60 - 0.24 * high + tropics - dry
        out = base + (0.98 - base) * rising + noise * (1.0 - 0.7 * rising)
        above = step(np.full_like(out, level), 300.0, 140.0)
        out = np.clip(out, 0.03, 1.0) * (1.0 - above) + 0.04 * above
        result: Array = out.astype(np.float32)
        return result

    def ascent(self, level: int) -> Array:
        """Vertical velocity on a pressure level, Pa/s, negative upward."""
        weather = self.weather
        shape = np.float32(np.sin(np.pi * min(1.0, max(0.0, (1010.0 - level) / 900.0))))
        rising = weather.lift + 0.4
        wave = weather.upslope * np.float32(np.exp(-(((level - 800.0) / 220.0) ** 2)))
        noise = np.float32(weather.flavour.detail) * (weather.grain + 1.5 * weather.fine_grain)
        omega = -0.55 * shape * np.clip(rising, -0.5, 4.0) - 6.5 * wave
        out: Array = omega - (0.06 + 0.12 * step(self.rate, 0.0, 2.0)) * shape * noise
        return out.astype(np.float32)

    @cached_property
    def vapour(self) -> Array:
        """Precipitable water, kg/m2: specific humidity summed from the ground up."""
        total = np.zeros_like(self.window.elevation)
        levels = (1000, 925, 850, 700, 500, 300)
        below_q: Array | None = None
        below_p = self.ground_pressure
        for level in levels:
            q = moist.specific(self.weather.temperature(level), self.air_humidity(level), level)
            depth = np.maximum(below_p - np.float32(level), 0.0)
            total += 0.5 * (q + (q if below_q is None else below_q)) * depth
            below_q, below_p = q, np.minimum(below_p, np.float32(level))
        out: Array = (total * np.float32(100.0 / 9.80665)).astype(np.float32)
        return out

    @cached_property
    def buoyancy(self) -> tuple[Array, Array]:
        """CAPE and CIN of surface air, J/kg: from how warm and moist it is for the air above."""
        weather = self.weather
        wet = moist.specific(self.ground, self.humidity, self.ground_pressure)
        height_km = self.window.elevation * np.float32(0.001)
        # Moist static energy of the parcel against the saturated one of the air at 500 hPa, K.
        aloft = weather.temperature(500)
        top = moist.specific(aloft, np.ones_like(aloft), 500.0)
        parcel = self.ground + 2488.0 * wet + 9.8 * height_km
        roof = aloft + 2488.0 * top + np.float32(0.0098) * weather.height(500)
        surplus = parcel - roof + 1.2 * np.float32(weather.flavour.detail) * weather.grain
        cape = 210.0 * softplus(surplus - 1.0, 0.8) - 60.0
        hour, noon = weather.sun
        lid = 60.0 + 45.0 * np.clip(-hour * noon, -1.0, 1.0) - 9.0 * np.minimum(surplus, 6.0)
        cin = -np.where(cape > 25.0, np.clip(lid + 18.0 * weather.grain, 0.0, 320.0), 0.0)
        cape = np.float32(5000.0) * np.tanh(np.maximum(cape, 0.0) / np.float32(5000.0))
        return cape.astype(np.float32), cin.astype(np.float32)

    @cached_property
    def freezing_level(self) -> Array:
        """Height above sea level of the highest 0 °C isotherm, m; the ground's where it freezes."""
        weather = self.weather
        height = np.where(self.ground > 273.15, self.window.elevation, 0.0).astype(np.float32)
        levels = (1000, 925, 850, 700, 600, 500, 400)
        for lower, upper in pairwise(levels):
            t0, t1 = weather.temperature(lower), weather.temperature(upper)
            z0, z1 = weather.height(lower), weather.height(upper)
            crossed = (t0 > 273.15) & (t1 <= 273.15)
            share = (t0 - np.float32(273.15)) / np.maximum(t0 - t1, 0.01)
            height = np.where(crossed, np.maximum(height, z0 + share * (z1 - z0)), height)
        out: Array = np.maximum(height, self.window.elevation * (self.ground <= 273.15))
        return out.astype(np.float32)

    @cached_property
    def visibility(self) -> Array:
        """Visibility, m: less in rain, in snow, and in moist calm air."""
        snow = self.kinds[1]
        extinction = 0.13 + np.where(snow, 1.4, 0.32) * self.rate**0.75
        fog = step(self.humidity, 0.93, 1.0) * step(np.hypot(*self.wind), 4.0, 1.0)
        out: Array = 3912.0 / (extinction + 4.0 * fog + 0.03)
        return np.minimum(out, 24_100.0).astype(np.float32)

    def vorticity(self, level: int) -> Array:
        """Absolute vorticity on a pressure level, s-1."""
        flow = self.weather.flow
        return self.window.up((flow.vorticity(flow.wind(level)) + flow.coriolis).astype(np.float32))
