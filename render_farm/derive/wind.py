"""Wind from its components."""

import numpy as np

from render_farm.derive.bands import bands
from render_farm.derive.shapes import Array, require_same_shape


def speed(u: Array, v: Array) -> Array:
    """Speed of the wind; whichever axes the components are along.

    u, v     (y, x) float32, m/s
    returns  (y, x) float32, m/s, >= 0; NaN where a component is NaN
    raises   ShapeMismatch
    """
    require_same_shape(u=u, v=v)
    result: Array = np.hypot(u, v)
    return result


def to_earth(u: Array, v: Array, rotation: Array) -> tuple[Array, Array]:
    """Components along the grid's axes as eastward and northward ones.

    u, v      (y, x) float32, m/s, positive towards rising column and towards grid north
    rotation  (y, x) float32, radians: angle from true north to grid north, clockwise positive
    returns   eastward and northward component, (y, x) float32, m/s; NaN where an input is NaN
    raises    ShapeMismatch

    As NOAA/GSL documents it for RAP and HRRR: u_e = u cos + v sin, v_e = -u sin + v cos. The
    speed is unchanged.
    """
    require_same_shape(u=u, v=v, rotation=rotation)
    eastward, northward = np.empty_like(u), np.empty_like(v)
    for rows in bands(u.shape):
        sine, cosine = np.sin(rotation[rows]), np.cos(rotation[rows])
        eastward[rows] = u[rows] * cosine + v[rows] * sine
        northward[rows] = v[rows] * cosine - u[rows] * sine
    return eastward, northward
