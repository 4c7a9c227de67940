"""Where a model's files lie: path templates filled in, URLs of files, of the filter, of a mirror.

All URLs come out percent-encoded, to be sent as they are. Pure; what a server does with them is
fetch's affair.
"""

import math
import re
from collections.abc import Iterable
from urllib.parse import quote

from render_farm.domain.models import Model, ModelFile
from render_farm.domain.places import Box
from twf_async.errors import BadConfiguration

_CIRCLE = 360.0
_HUNDREDTHS = 100
_NEARLY_ALL = 359.98  # widened, it would overlap itself
_MEANS_SOMETHING_IN_A_PATTERN = re.compile(r"([\\()\[\]{}^$*+?|])")


def expand(template: str, cycle: str, hour: int) -> str:
    """Fill in {date}, {cc} and {hour} of a path template.

    cycle   "2026012912"
    raises  BadConfiguration that names the template
    """
    try:
        return template.format(date=cycle[:8], cc=cycle[8:10], hour=hour)
    except (LookupError, ValueError, AttributeError) as error:
        raise BadConfiguration(
            f"models.toml: {template!r} is no path template ({error});"
            " it may use {date}, {cc} and {hour:03d}"
        ) from error


def file_path(file: ModelFile, cycle: str, hour: int) -> str:
    """The file's path below the model's root: the same on every source, so it names the file."""
    return expand(file.path, cycle, hour)


def static_url(base: str, model: Model, file: ModelFile, cycle: str, hour: int) -> str:
    """The URL of a whole file on NOMADS; *base* as "https://nomads.ncep.noaa.gov"."""
    path = f"{model.nomads_root.strip('/')}/{file_path(file, cycle, hour)}"
    return f"{base.rstrip('/')}/{quote(path)}"


def mirror_url(base: str, model: Model, file: ModelFile, cycle: str, hour: int) -> str:
    """The URL of a whole file on a mirror that lacks the first part of the path."""
    path = file_path(file, cycle, hour).removeprefix(model.aws_path_prefix)
    return f"{base.rstrip('/')}/{quote(path)}"


def idx_url(url: str) -> str:
    """The URL of the inventory beside a file."""
    return f"{url}.idx"


def filter_url(
    base: str,
    file: ModelFile,
    cycle: str,
    hour: int,
    *,
    parameters: Iterable[str],
    levels: Iterable[str],
    box: Box | None,
) -> str:
    """The URL that makes the grib filter send every one of *parameters* on every one of *levels*.

    levels  texts of the inventory ("2 m above ground")
    box     None: messages as they are in the file
    """
    pairs = [
        ("dir", expand(file.filter_dir, cycle, hour)),
        ("file", file_path(file, cycle, hour).rpartition("/")[2]),
        *((f"var_{parameter}", "on") for parameter in sorted(parameters)),
        *((f"lev_{level_name(level)}", "on") for level in sorted(levels)),
    ]
    if box is not None:
        pairs += [("subregion", ""), *bounds(box)]
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    return f"{base.rstrip('/')}/cgi-bin/{quote(file.filter)}?{query}"


def level_name(level: str) -> str:
    """A level as the filter's form names it: blanks as "_", pattern characters escaped."""
    return _MEANS_SOMETHING_IN_A_PATTERN.sub(r"\\\1", level).replace(" ", "_")


def bounds(box: Box) -> tuple[tuple[str, str], ...]:
    """The box in the filter's words, widened to whole hundredths of a degree.

    wgrib2 stops where the west edge lies east of the east edge, so both edges are moved together
    until 0 <= left < right <= 360 or, across Greenwich, left < 0 < right.
    """
    west = math.floor(box.west * _HUNDREDTHS) / _HUNDREDTHS
    east = math.ceil(box.east * _HUNDREDTHS) / _HUNDREDTHS
    span = span_deg(west, east) if span_deg(box.west, box.east) < _NEARLY_ALL else _CIRCLE
    left = west % _CIRCLE
    if left + span > _CIRCLE:
        left -= _CIRCLE
    return (
        ("toplat", _degrees(min(math.ceil(box.north * _HUNDREDTHS) / _HUNDREDTHS, 90.0))),
        ("leftlon", _degrees(left)),
        ("rightlon", _degrees(left + span)),
        ("bottomlat", _degrees(max(math.floor(box.south * _HUNDREDTHS) / _HUNDREDTHS, -90.0))),
    )


def span_deg(west: float, east: float) -> float:
    """Degrees from *west* eastwards to *east*; -180 to 180 is the whole circle."""
    return east - west if east >= west else east - west + _CIRCLE


def _degrees(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
