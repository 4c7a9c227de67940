"""The loopback NOMADS: a program of its own that the service is tried, tested and shown with.

It answers as nomads.ncep.noaa.gov does, from real files or from a synthetic atmosphere. What it
imitates, and on what evidence, is written beside each behaviour.
"""

# eccodes' wheels bundle a libproj of their own and load it for the whole process; pyproj, imported
# after it, finds no database ("proj_create: no database context specified") and crashes. The other
# way round both work. Every module of this package comes after this line.
import pyproj  # noqa: F401
