"""Precipitation: its rate, its kind, and the echo it gives."""

import numpy as np

from twf_async.replica.atmosphere.arrays import Array, Mask, softplus, step
from twf_async.replica.atmosphere.weather import Weather

_LEAST = 0.025  # mm/h; less does not reach the ground
_MOST = 17.0


def rate(weather: Weather) -> Array:
    """Return the precipitation rate, mm/h, at the grid points."""
    detail = np.float32(weather.flavour.detail)
    noise = detail * weather.grain
    fine = detail * weather.fine_grain
    warmth = np.clip(np.exp((weather.temperature(850) - 277.0) / 13.0), 0.22, 2.2)
    lift = weather.lift
    ragged = step(lift, -0.72, -0.2)  # fair weather stays fair
    steady = softplus(lift + ragged * (0.36 * noise + 0.12 * fine), 0.16)
    up = weather.upslope
    shadow = np.clip(1.0 + 2.4 * up, 0.12, 1.0)
    wet = step(lift + 0.35 * weather.window.maritime, -0.75, 0.35)
    forced = 17.0 * np.clip(up, 0.0, 1.0) * (wet * (1.0 + 0.35 * fine) + 0.1 * weather.cold_air)
    total = warmth * (1.75 * steady * shadow * (1.0 + 0.25 * noise + 0.2 * fine) + 0.9 * forced)
    total = total + _showers(weather, noise, fine) + _thunder(weather, noise, fine)
    total = np.float32(_MOST) * np.tanh(np.maximum(total, 0.0) / np.float32(_MOST))
    out: Array = np.where(total < _LEAST, 0.0, total - 0.6 * _LEAST)
    return out.astype(np.float32)


def _showers(weather: Weather, noise: Array, fine: Array) -> Array:
    """Showers in cold air over warmer water and against mountains."""
    window = weather.window
    maritime = 1.0 - 0.85 * step(window.land, 0.2, 0.9) * step(window.elevation, 0.0, 120.0)
    lifted = np.clip(1.0 + 3.0 * weather.upslope, 0.2, 2.5)
    near = weather.window.up(np.minimum(weather.flow.swirl.active, 1.0))
    cells = step(0.6 * noise + 0.9 * fine, 0.55, 2.0)
    out: Array = 2.6 * weather.cold_air * near * (0.25 + 0.75 * maritime) * lifted * cells
    return out


def _thunder(weather: Weather, noise: Array, fine: Array) -> Array:
    """Tropical rain, and summer's over land in the afternoon."""
    at = weather.window.at
    season = np.float32(weather.when.season)
    belt = np.exp(-(((at.latitude + 6.0 * season) / 8.0) ** 2))
    hour, noon = weather.sun
    land = weather.window.land
    warm = step(weather.temperature(850), 285.0, 293.0) * step(noon, 0.55, 0.95)
    heated = 0.5 * land * warm * np.clip(hour, 0.0, 1.0)
    cells = step(noise + 0.7 * fine, 0.8, 2.4)
    out: Array = cells * (7.0 * belt * (1.0 + 0.3 * hour * land) + 6.0 * heated)
    return out


def kinds(weather: Weather, ground: Array) -> tuple[Mask, Mask, Mask, Mask]:
    """Return what falls if anything does: rain, snow, sleet or freezing rain.

    ground  temperature at 2 m, K. The warmest air that a snowflake falls through melts it; what
    has melted freezes again in cold air near the ground, or on it.
    """
    low = weather.temperature(925)
    middle = weather.temperature(850)
    # Levels below the ground are not in the air.
    under = step(weather.window.elevation, 500.0, 900.0)
    low = low * (1.0 - under) + np.minimum(low, ground) * under
    under = step(weather.window.elevation, 1200.0, 1600.0)
    middle = middle * (1.0 - under) + np.minimum(middle, ground) * under
    nose = np.maximum(low, middle) - np.float32(273.15)
    foot = ground - np.float32(273.15)
    frozen = foot <= 0.0
    melted = nose > 1.2
    partly = (nose > -0.2) & ~melted
    freezing = frozen & melted
    sleet = (frozen & partly) | ((foot > 0.0) & (foot < 0.7) & partly)
    snow = (nose <= -0.2) & (foot < 1.4)
    rain = ~(freezing | sleet | snow)
    return rain, snow, sleet, freezing


def reflectivity(weather: Weather, falling: Array, snow: Mask) -> Array:
    """Return composite reflectivity, dBZ, from a rate in mm/h.

    Rain Z = 200 R^1.6 (Marshall and Palmer 1948), snow Z = 75 R^2 (Puhakka 1975 with the refraction
    of ice); aloft it falls before it reaches the ground, so faint echoes surround the rain.
    """
    aloft = falling + 0.09 * softplus(weather.lift + 0.2, 0.2)
    aloft = aloft * (1.0 + 0.15 * np.float32(weather.flavour.detail) * weather.fine_grain)
    aloft = np.maximum(aloft, 1e-6)
    wet = 23.0 + 16.0 * np.log10(aloft)
    dry = 18.75 + 20.0 * np.log10(aloft)
    echo = np.where(snow, dry, wet) + 2.0
    floor = np.float32(weather.flavour.no_echo)
    out: Array = np.where(echo < -5.0, floor, np.minimum(echo, 64.0)).astype(np.float32)
    return np.maximum(out, floor)
