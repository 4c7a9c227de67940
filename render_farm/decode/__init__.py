"""GRIB2 messages to fields on grids.

pyproj is imported before anything of this package can import eccodes: eccodes' wheel loads its
own libproj with RTLD_GLOBAL, and a pyproj that comes later binds to it and crashes the process
("proj_create: no database context specified", double free; eckitlib >= 2.3.0, pyproj 3.7.2).
"""

import pyproj  # noqa: F401 - the order is the point, see above
