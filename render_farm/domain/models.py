"""A weather model as an operator describes it: cycles, hours, where its files lie. Data only."""

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from render_farm.domain.entries import Frozen, Key, Title

LAST_HOUR = 999  # names of frames have three digits
_SPAN = re.compile(r"(\d{1,9})(?:-(\d{1,9})(?:/(\d{1,9}))?)?")


def expand_hours(value: object) -> object:
    """Turn `"0-120/3,126-384/6"` into the hours themselves, rising; a list is put in order."""
    if isinstance(value, list | tuple) and all(type(hour) is int for hour in value):
        return tuple(sorted(set(value)))
    if not isinstance(value, str):
        return value
    hours: set[int] = set()
    for part in value.split(","):
        match = _SPAN.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"hours {part.strip()!r} is not 'A', 'A-B' or 'A-B/STEP'")
        first = int(match[1])
        last = int(match[2] or first)
        step = int(match[3] or 1)
        if last < first or step == 0:
            raise ValueError(f"hours {part.strip()!r} do not rise")
        if last > LAST_HOUR:
            raise ValueError(f"hours {part.strip()!r} go beyond {LAST_HOUR}")
        hours.update(range(first, last + 1, step))
    return tuple(sorted(hours))


Hour = Annotated[int, Field(ge=0, le=LAST_HOUR)]
HourOfDay = Annotated[int, Field(ge=0, le=23)]
Hours = Annotated[tuple[Hour, ...], BeforeValidator(expand_hours)]
Minutes = Annotated[float, Field(gt=0, le=100_000)]  # ten weeks
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Rest = Annotated[float, Field(ge=0, le=86_400)]  # s


class ModelFile(Frozen):
    """One file that the model writes for every hour, and how to get parts of it.

    path     template below a source's root: {date} YYYYMMDD, {cc} cycle hour, {hour:03d}
    filter   name of the grib filter script, "" where there is none (AIGFS)
    filter_dir  its `dir` argument, same template
    holds    regular expression on `VAR:level`: which fields are looked for in this file
    """

    path: str
    filter: str = ""
    filter_dir: str = ""
    holds: str = ".*"

    @field_validator("path", "filter_dir")
    @classmethod
    def _is_template(cls, template: str) -> str:
        try:
            template.format(date="20260129", cc="12", hour=6)
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError(
                f"{template!r} is no path template: it may use {{date}}, {{cc}}, {{hour:03d}}"
            ) from error
        return template

    @field_validator("holds")
    @classmethod
    def _is_pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return pattern


class GridSize(Frozen):
    """Roughly what grid a model is on: enough to foresee how many bytes a cut-out has.

    points    of the whole grid
    step_deg  between two points of a latitude/longitude grid
    step_km   between two points of a projected grid, which then has no step_deg
    """

    points: int = Field(gt=0)
    step_deg: float | None = Field(default=None, gt=0)
    step_km: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one_step(self) -> "GridSize":
        if (self.step_deg is None) == (self.step_km is None):
            raise ValueError("a grid has either step_deg or step_km")
        return self


class Cadence(Frozen):
    """How long the other side takes from one forecast hour to the next, up to hour `to`."""

    to: int = Field(gt=0, le=LAST_HOUR)
    s_per_hour: Rest


class Model(Frozen):
    """One model.

    hours, long_hours   forecast hours of ordinary cycles, and of those in `long_cycles`
    bucket_h            length of the accumulation and averaging buckets
    aliases             field of a product -> the model's own field (`VAR:level` both)
    first_hour_min      minutes from the cycle to its first file, usually
    cadence             how fast hours follow each other, until that is learned; rising
    gives_up_min        minutes from the cycle after which missing hours are given up
    stalls_min          but not before nothing has come for this long
    when_superseded     when a newer run has data: "finish" this one, or "abandon" what is not due
    poll_s              pause between looks where nothing is known of when it comes
    requests_per_hour   what an hour may cost on average, looks in vain included; what is above four
                        is for looks before the likeliest moment, so that early hours are seen too
    settle_s            how long a file must have rested where its inventory is not enough: on a
                        mirror, and after it failed its check
    keep_runs           how many runs stay online; None: as `publish.keep_runs` of the service says
    grid                None: taken for a quarter-degree globe, and downloads are not held to it
    """

    key: Key
    title: Title
    long_title: Title
    enabled: bool = True
    order: int = 100
    cycles: tuple[HourOfDay, ...] = Field(min_length=1)
    hours: Hours = Field(min_length=1)
    long_cycles: tuple[HourOfDay, ...] = ()
    long_hours: Hours = ()
    bucket_h: int = Field(gt=0, le=LAST_HOUR)
    first_hour_min: Minutes
    cadence: tuple[Cadence, ...] = ()
    gives_up_min: Minutes
    stalls_min: Minutes = 30.0
    when_superseded: Literal["finish", "abandon"] = "finish"
    poll_s: Seconds = 30.0
    requests_per_hour: float = Field(default=4.0, ge=4, le=12)
    settle_s: Rest = 180.0
    keep_runs: int | None = Field(default=None, gt=0)
    files: tuple[ModelFile, ...] = Field(min_length=1)
    grid: GridSize | None = None
    nomads_root: str = "/pub/data/nccf/com"
    aws_root: str = ""  # URL of the mirror bucket, "" where there is none
    aws_path_prefix: str = ""  # the part of `path` that the mirror does not have
    aliases: dict[str, str] = Field(default_factory=dict)
    products: tuple[Key, ...]
    regions: tuple[Key, ...]

    def hours_of(self, cycle_hour: int) -> tuple[int, ...]:
        """The forecast hours that a cycle of this hour of the day has."""
        return self.long_hours if cycle_hour in self.long_cycles else self.hours
