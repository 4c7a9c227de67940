"""Vorticity, temperature advection and frontogenesis."""

import numpy as np

from render_farm.derive.bands import in_bands
from render_farm.derive.calculus import Cells, gradient, wind_tensor
from render_farm.derive.shapes import Array, require_same_shape

EARTH_ROTATION = 7.292115e-5  # rad/s
KAPPA = 0.2857142857  # Rd / cp of dry air
REFERENCE_PRESSURE = 1e5  # Pa


def coriolis(latitude: Array) -> Array:
    """Coriolis parameter.

    latitude  (y, x) float32, degrees
    returns   (y, x) float32, 1/s
    """
    result: Array = np.float32(2 * EARTH_ROTATION) * np.sin(np.radians(latitude))
    return result


def absolute_vorticity(u: Array, v: Array, cells: Cells, latitude: Array) -> Array:
    """Vertical component of absolute vorticity on a sphere, by central differences.

    u, v      (y, x) float32, m/s, along the grid's axes
    latitude  (y, x) float32, degrees
    returns   (y, x) float32, 1/s; NaN beside missing values and at poles
    raises    ShapeMismatch
    """
    require_same_shape(u=u, v=v, east=cells.east, latitude=latitude)

    def formula(u: Array, v: Array, latitude: Array, east: Array, north: Array) -> Array:
        change = wind_tensor(u, v, Cells(east, north, cells.cyclic))
        return change.vx - change.uy + coriolis(latitude)

    return in_bands(formula, u, v, latitude, cells.east, cells.north, halo=1)


def advection(scalar: Array, u: Array, v: Array, cells: Cells) -> Array:
    """Advection of a scalar by the wind: what the air brings, per second.

    scalar   (y, x) float32
    u, v     (y, x) float32, m/s, along the grid's axes
    returns  (y, x) float32, the scalar's unit per second; positive where it rises
    raises   ShapeMismatch
    """
    require_same_shape(scalar=scalar, u=u, v=v, east=cells.east)

    def formula(scalar: Array, u: Array, v: Array, east: Array, north: Array) -> Array:
        slope = gradient(scalar, Cells(east, north, cells.cyclic))
        return -(u * slope.x + v * slope.y)

    return in_bands(formula, scalar, u, v, cells.east, cells.north, halo=1)


def potential_temperature(temperature: Array, pressure: float) -> Array:
    """Potential temperature of dry air (Poisson), reference 1000 hPa.

    temperature  (y, x) float32, K
    pressure     of the level, Pa, > 0
    returns      (y, x) float32, K
    """
    result: Array = temperature * np.float32((REFERENCE_PRESSURE / pressure) ** KAPPA)
    return result


def frontogenesis(theta: Array, u: Array, v: Array, cells: Cells) -> Array:
    """Horizontal frontogenesis: growth of the gradient of potential temperature.

    theta    (y, x) float32, K
    u, v     (y, x) float32, m/s, along the grid's axes
    returns  (y, x) float32, K m-1 s-1; 0 where there is no gradient
    raises   ShapeMismatch

    Petterssen (1936): F = -(tx^2 ux + tx ty (vx + uy) + ty^2 vy) / |grad theta|, the same as
    |grad| (deformation cos 2b - divergence) / 2 of Bluestein (1993), vol. 2, eq. 2.3.8.
    """
    require_same_shape(theta=theta, u=u, v=v, east=cells.east)

    def formula(theta: Array, u: Array, v: Array, east: Array, north: Array) -> Array:
        around = Cells(east, north, cells.cyclic)
        slope, change = gradient(theta, around), wind_tensor(u, v, around)
        steepness = np.hypot(slope.x, slope.y)
        growth = -(
            slope.x**2 * change.ux
            + slope.x * slope.y * (change.vx + change.uy)
            + slope.y**2 * change.vy
        )
        result: Array = np.divide(
            growth, steepness, out=np.where(np.isnan(growth), growth, 0), where=steepness > 0
        )
        return result

    return in_bands(formula, theta, u, v, cells.east, cells.north, halo=1)
