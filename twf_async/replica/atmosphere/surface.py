"""Near the ground: temperature, humidity, wind, gusts, snow on the ground."""

import numpy as np

from twf_async.replica.atmosphere.arrays import Array, step
from twf_async.replica.atmosphere.flow import Flow
from twf_async.replica.atmosphere.weather import Weather


def cloud(weather: Weather) -> Array:
    """Return total cloud cover, 0..1."""
    noise = np.float32(0.35 + 0.65 * weather.flavour.detail) * weather.grain
    moist = (
        weather.lift
        + 0.4 * noise
        + 0.35 * weather.broad
        + 0.2 * weather.fine_grain
        + 0.3 * weather.cold_air
    )
    out: Array = np.maximum(step(moist, -0.75, 0.45), 0.8 * step(weather.upslope, 0.02, 0.25))
    return out


def sea_temperature(weather: Weather) -> Array:
    """Return the temperature of the sea, K, never below freezing point."""
    latitude = weather.window.at.latitude
    shifted = np.radians(latitude + np.float32(3.5 * weather.when.season))
    out: Array = np.maximum(301.0 - 29.5 * np.sin(shifted) ** 2, 271.4)
    return out


def temperature(weather: Weather, cover: Array) -> Array:
    """Return the temperature at 2 m, K: the free air's at the ground, heated and cooled there.

    cover  cloud, 0..1
    """
    window = weather.window
    lower, upper = (_lapse(weather.flow, *levels) for levels in ((1000, 850), (850, 700)))
    above = window.elevation - weather.height(850)
    lapse = np.where(above < 0.0, window.up(lower), window.up(upper))
    free = weather.temperature(850) - lapse * above
    hour, noon = weather.sun
    clear = 1.0 - 0.72 * cover
    swing = clear * noon * np.where(hour > 0.0, 6.4, 5.2) * hour
    dark = (1.0 - noon) * clear * np.where(weather.temperature(850) < 273.0, 2.2, 1.0)
    # Cold air gathers where the ground is low among mountains, and on long winter nights.
    land_air = free + swing - 1.6 * dark * step(900.0 - window.elevation, -300.0, 700.0) - 0.4
    sea = sea_temperature(weather)
    sea_air = free + np.clip(0.62 * (sea - free), -6.0, 11.0)
    # Lowlands near the sea have its air, though cooled or heated on the way.
    near = step(window.maritime, 0.02, 0.45) * np.exp(-window.elevation / np.float32(450.0))
    land_air = land_air + 0.8 * near * (sea_air + 0.45 * swing - 0.8 - land_air)
    coast = step(window.land, 0.1, 0.9)
    speckle = np.float32(0.35 * weather.flavour.detail) * (weather.grain + weather.fine_grain)
    out: Array = coast * (land_air + speckle) + (1.0 - coast) * (sea_air + 0.3 * speckle)
    return out.astype(np.float32)


def _lapse(flow: Flow, below: int, above: int) -> Array:
    """Return how fast it gets colder upward between two levels, K per m, on the lattice."""
    out: Array = (flow.temperature(below) - flow.temperature(above)) / (
        flow.height(above) - flow.height(below)
    )
    return out


def humidity(weather: Weather, cover: Array, falling: Array) -> Array:
    """Return the relative humidity at 2 m, 0..1."""
    hour, noon = weather.sun
    coast = step(weather.window.land, 0.1, 0.9)
    dry = 0.2 * coast * noon * (1.0 - 0.6 * cover) * hour
    base = 0.79 - 0.10 * coast - 0.07 * step(weather.window.elevation, 600.0, 2000.0)
    base = base + 0.13 * (cover - 0.5) - dry
    base = base + 0.035 * np.float32(weather.flavour.detail) * (weather.grain + weather.fine_grain)
    rainy = falling / (falling + 0.4)
    out: Array = np.clip(base + (0.965 - base) * rainy, 0.08, 1.0)
    return out


def wind(weather: Weather) -> tuple[Array, Array]:
    """Return the wind at 10 m along i and j, m/s: slowed and turned toward low pressure."""
    window = weather.window
    low, high = weather.wind(1000), weather.wind(700)
    coast = step(window.land, 0.1, 0.9)
    hour, noon = weather.sun
    mixed = 0.42 + 0.08 * noon * hour
    factor = 0.68 + (mixed - 0.68) * coast
    pole = np.where(window.at.latitude < 0.0, -1.0, 1.0)
    angle = pole * np.radians(13.0 + 15.0 * coast)
    cos, sin = factor * np.cos(angle), factor * np.sin(angle)
    u, v = low[0] * cos - low[1] * sin, low[0] * sin + low[1] * cos
    exposed = step(window.elevation, 700.0, 2400.0)
    u = u + exposed * (0.42 * high[0] - u)
    v = v + exposed * (0.42 * high[1] - v)
    detail = np.float32(weather.flavour.detail)
    gusty = 1.0 + detail * (0.08 * weather.grain + 0.11 * weather.fine_grain)
    stir = detail * (0.5 + 0.5 * coast)
    u = u * gusty + stir * (0.5 * weather.grain + 0.5 * weather.fine_grain)
    v = v * gusty + stir * (0.35 * weather.fine_grain - 0.4 * weather.grain)
    return u.astype(np.float32), v.astype(np.float32)


def gust(weather: Weather, speed: Array, falling: Array) -> Array:
    """Return the gust at the surface, m/s, from the 10 m wind *speed*; never below it."""
    aloft = np.hypot(*weather.wind(850))
    hour, noon = weather.sun
    mixing = np.clip(0.35 + 0.25 * noon * hour + 0.3 * weather.cold_air, 0.1, 0.9)
    mixing = mixing + 0.05 * np.minimum(falling, 4.0)
    base = 1.22 * speed
    out: Array = base + np.clip(mixing, 0.0, 1.0) * np.maximum(0.85 * aloft - base, 0.0)
    return out.astype(np.float32)


def old_snow(weather: Weather) -> Array:
    """Return the water of snow that lay before the run began, kg/m2."""
    window = weather.window
    at = window.at
    hemisphere = np.where(at.latitude < 0.0, -1.0, 1.0)
    winter = np.float32(weather.when.season) * hemisphere
    line = 4500.0 - 62.0 * np.abs(at.latitude) - 900.0 * winter - 350.0 * (winter - 0.4)
    above = window.elevation - line
    deep = np.clip(above / 1000.0, 0.0, 2.2) ** 1.2 * 240.0
    out: Array = deep * step(window.land, 0.5, 0.9)
    return out.astype(np.float32)
