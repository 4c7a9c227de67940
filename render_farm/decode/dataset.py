"""GRIB2 files as `xarray.Dataset`: the public face of decoding, for people and other programs.

Lossless, where `cfgrib.open_datasets` drops messages in silence (HRRR's 0-6 h and 5-6 h totals
become one, levels that clash vanish); no side-car index; values are decoded when they are asked
for. The renderer itself reads by exact key (`read.py`).
"""

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

import eccodes
import numpy as np
import xarray as xr
from cfgrib.messages import Message
from pyproj import CRS

from render_farm.decode import cf
from render_farm.decode.arrangement import Arrangement, arrangement
from render_farm.decode.grouping import Group, groups
from render_farm.decode.lazy import decoded_when_asked
from render_farm.domain.fields import MessageKey
from render_farm.domain.grib2 import MessageHead, field_bytes, walk

_GRIB_KEYS = ("shortName", "name", "typeOfLevel", "stepType", "stepRange", "packingType")


def open_dataset(path: str | Path, keys: Collection[MessageKey] | None = None) -> xr.Dataset:
    """Every field of a GRIB2 file, or those with one of *keys*, with CF names and units.

    Variables are called `VAR_level`, with `_acc_0_6h` and the like for windows ("TMP_isobaric",
    "TMP_height_above_ground", "APCP_surface_acc_0_6h"); one quantity at several levels of one
    kind is one variable along a vertical dimension. A message that repeats another's key gets
    its name and `_2`. Values are float32, row 0 north, NaN where missing, wind along the axes
    that the attribute `wind_axes` names, and are read at the first access, so keep the file.
    Dimensions are (latitude, longitude) or (y, x) with two-dimensional latitude and longitude
    and a CF grid mapping. Several grids in one file: those of the second are `y_2`, and so on.

    raises  GribError for a file that is not whole GRIB2 (see `grib2.walk`), OSError,
            GridError for a grid of an unsupported kind; KeyError for a key that is not there
    """
    path = Path(path)
    with path.open("rb") as file:
        heads = [head for head in walk(file) if keys is None or head.key in keys]
    absent = set(keys or ()) - {head.key for head in heads}
    if absent:
        raise KeyError(f"{path.name} does not hold {', '.join(sorted(map(str, absent)))}")
    builder = _Builder(path)
    for group in groups(heads):
        builder.add(group)
    return builder.dataset()


class _Builder:
    """Collects variables and coordinates of a Dataset."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._variables: dict[str, xr.Variable] = {}
        self._coordinates: dict[str, xr.Variable] = {}
        self._levels: dict[tuple[str, tuple[float, ...]], str] = {}
        self._planes: dict[str, tuple[tuple[str, str], str, Arrangement]] = {}
        self._times: set[tuple[np.datetime64, np.datetime64]] = set()

    def add(self, group: Group) -> None:
        """Add one variable."""
        head = group.heads[0]
        message = self._message(head)
        plane, mapping, arranged = self._plane(head, message)
        attributes = cf.attributes(head, message["units"], earth_relative=arranged.earth_relative)
        attributes["grid_mapping"] = mapping
        attributes["wind_axes"] = "earth" if arranged.earth_relative else "grid"
        attributes |= {f"GRIB_{key}": str(message[key]) for key in _GRIB_KEYS}
        dimensions: tuple[str, ...] = plane
        shape: tuple[int, ...] = arranged.grid.shape
        if group.dimension is not None:
            dimensions = (self._level_dimension(group), *plane)
            shape = (len(group.heads), *shape)
            attributes.pop("level", None)
            attributes["grib_key"] = "; ".join(head.text for head in group.heads)
        array = decoded_when_asked(self._path, group.heads, shape)
        self._variables[group.name] = xr.Variable(dimensions, array, attributes)
        self._note_time(group.name, head)

    def dataset(self) -> xr.Dataset:
        """The Dataset of all that was added."""
        if len(self._times) == 1:
            ((reference, valid),) = self._times
            self._coordinates["forecast_reference_time"] = xr.Variable(
                (), reference, {"standard_name": "forecast_reference_time"}
            )
            self._coordinates["time"] = xr.Variable((), valid, {"standard_name": "time"})
        return xr.Dataset(
            self._variables,
            self._coordinates,
            {"Conventions": "CF-1.11", "source": self._path.name},
        )

    def _message(self, head: MessageHead) -> Message:
        with self._path.open("rb") as file:
            return Message(eccodes.codes_new_from_message(field_bytes(file, head)))

    def _note_time(self, name: str, head: MessageHead) -> None:
        if head.key is None:
            return
        reference = np.datetime64(head.reference.replace(tzinfo=None), "ns")
        valid = reference + np.timedelta64(timedelta(hours=head.key.end_h))
        self._times.add((reference, valid))
        self._variables[name].attrs["valid_time"] = f"{np.datetime_as_string(valid, 's')}Z"

    def _level_dimension(self, group: Group) -> str:
        places = [cf.vertical(head) for head in group.heads]
        values = tuple(place[1] for place in places if place is not None)
        kind = str(group.dimension)
        name = self._levels.get((kind, values))
        if name is None:
            same = sum(known == kind for known, _ in self._levels)
            name = kind if same == 0 else f"{kind}_{same + 1}"
            self._levels[kind, values] = name
            self._coordinates[name] = xr.Variable(
                (name,), np.array(values), cf.vertical_attributes(kind)
            )
        return name

    def _plane(
        self, head: MessageHead, message: Message
    ) -> tuple[tuple[str, str], str, Arrangement]:
        known = self._planes.get(head.grid.digest)
        if known is not None:
            return known
        arranged = arrangement(message.codes_id)
        grid = arranged.grid
        suffix = "" if not self._planes else f"_{len(self._planes) + 1}"
        x = grid.x0 + grid.dx * np.arange(grid.nx)
        y = grid.y0 + grid.dy * np.arange(grid.ny)
        latitude = {"standard_name": "latitude", "units": "degrees_north"}
        longitude = {"standard_name": "longitude", "units": "degrees_east"}
        if grid.kind == "latlon":
            dimensions = f"latitude{suffix}", f"longitude{suffix}"
            self._coordinates[dimensions[0]] = xr.Variable(dimensions[0], y, latitude)
            self._coordinates[dimensions[1]] = xr.Variable(dimensions[1], x, longitude)
        else:
            dimensions = f"y{suffix}", f"x{suffix}"
            for name, values, axis in zip(dimensions, (y, x), "yx", strict=True):
                self._coordinates[name] = xr.Variable(
                    name,
                    values,
                    {"standard_name": f"projection_{axis}_coordinate", "units": "m"},
                )
            lon, lat = grid.lonlat()
            self._coordinates[f"latitude{suffix}"] = xr.Variable(dimensions, lat, latitude)
            self._coordinates[f"longitude{suffix}"] = xr.Variable(dimensions, lon, longitude)
        mapping = f"crs{suffix}"
        self._coordinates[mapping] = xr.Variable((), 0, CRS.from_proj4(grid.crs).to_cf())
        self._planes[head.grid.digest] = dimensions, mapping, arranged
        return self._planes[head.grid.digest]
