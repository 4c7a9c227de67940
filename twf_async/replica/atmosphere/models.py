"""The three models as runs: grids, hours, cycles, file names, and how their forecasts differ."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import cos, pi, sin

from twf_async.replica.atmosphere.grids import HALF_DEGREE, HRRR_CONUS, QUARTER_DEGREE, Grid
from twf_async.replica.atmosphere.storms import Error
from twf_async.replica.atmosphere.swirl import When
from twf_async.replica.atmosphere.weather import Flavour

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Model:
    """One model.

    seed      sets its forecast errors apart from those of the others
    cycle_h   hours between cycles; hours, long_hours: of ordinary cycles and of 00/06/12/18 UTC
    node_min  step of the time integrals, minutes
    rain_grid where it rains is computed on every second point of the grid; None: on all
    sums      what is summed over a run: names of accumulation.Sums
    process   generatingProcessIdentifier of the analysis and of forecasts
    folder    of a cycle's files below com, with {date} and {cc}; files: part -> name with {hour}
    """

    key: str
    seed: int
    grid: Grid
    flavour: Flavour
    cycle_h: int
    hours: tuple[int, ...]
    long_hours: tuple[int, ...]
    bucket_h: int
    node_min: int
    rain_grid: Grid | None
    sums: tuple[str, ...]
    process: tuple[int, int]
    day: str
    folder: str
    files: tuple[tuple[str, str], ...]

    def hours_of(self, cycle: datetime) -> tuple[int, ...]:
        """Return the forecast hours of a cycle."""
        return self.long_hours if cycle.hour % 6 == 0 else self.hours

    def when(self, cycle: datetime, lead_h: float) -> When:
        """Return the moment *lead_h* hours after *cycle*, as this model's forecast has it."""
        valid = cycle + timedelta(hours=lead_h)
        of_year = (valid - datetime(valid.year, 1, 1, tzinfo=UTC)).total_seconds() / 86400.0
        cycle_h = (cycle - _EPOCH).total_seconds() / 3600.0
        time_h = (valid - _EPOCH).total_seconds() / 3600.0
        seed = self.seed * 1_000_003 + round(cycle_h)
        return When(
            time_h=time_h,
            season=cos(2 * pi * (of_year - 20.0) / 365.25),
            hour_utc=time_h % 24.0,
            declination=23.44 * sin(2 * pi * (of_year - 81.0) / 365.25),
            error=Error(seed, max(0.0, lead_h)),
        )


_AMOUNTS = ("water", "snow", "sleet", "freezing")
_DURATIONS = ("rain_h", "snow_h", "sleet_h", "freezing_h")
_GLOBAL_HOURS = (*range(121), *range(123, 385, 3))
_SIX = tuple(range(0, 385, 6))

MODELS = (
    Model(
        key="gfs",
        seed=1,
        grid=QUARTER_DEGREE,
        flavour=Flavour(detail=0.8, fine=False, no_echo=-20.0, exclusive=True),
        cycle_h=6,
        hours=_GLOBAL_HOURS,
        long_hours=_GLOBAL_HOURS,
        bucket_h=6,
        node_min=60,
        rain_grid=None,
        sums=(*_AMOUNTS, *_DURATIONS),
        process=(81, 96),
        day="gfs/prod/gfs.{date}",
        folder="{cc}/atmos",
        files=(("all", "gfs.t{cc}z.pgrb2.0p25.f{hour:03d}"),),
    ),
    Model(
        key="aigfs",
        seed=2,
        grid=QUARTER_DEGREE,
        flavour=Flavour(detail=0.35, fine=False, no_echo=-20.0, exclusive=True),
        cycle_h=6,
        hours=_SIX,
        long_hours=_SIX,
        bucket_h=6,
        node_min=120,
        rain_grid=HALF_DEGREE,
        sums=("water",),
        process=(97, 97),
        day="aigfs/prod/aigfs.{date}",
        folder="{cc}/model/atmos/grib2",
        files=(
            ("sfc", "aigfs.t{cc}z.sfc.f{hour:03d}.grib2"),
            ("pres", "aigfs.t{cc}z.pres.f{hour:03d}.grib2"),
        ),
    ),
    Model(
        key="hrrr",
        seed=3,
        grid=HRRR_CONUS,
        flavour=Flavour(detail=1.0, fine=True, no_echo=-10.0, exclusive=False),
        cycle_h=1,
        hours=tuple(range(19)),
        long_hours=tuple(range(49)),
        bucket_h=1,
        node_min=20,
        rain_grid=None,
        sums=_AMOUNTS,
        process=(83, 83),
        day="hrrr/prod/hrrr.{date}",
        folder="conus",
        files=(("all", "hrrr.t{cc}z.wrfsfcf{hour:02d}.grib2"),),
    ),
)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One GRIB file: of which run, hour and part."""

    model: Model
    cycle: datetime
    hour: int
    part: str

    @property
    def name(self) -> str:
        """The file's own name."""
        template = dict(self.model.files)[self.part]
        return template.format(cc=f"{self.cycle:%H}", hour=self.hour)


def _pattern(template: str) -> re.Pattern[str]:
    escaped = re.escape(template)
    named = re.sub(r"\\\{hour:0(\d)d\\\}", r"(?P<hour>\\d{\1})", escaped)
    named = named.replace(r"\{date\}", r"(?P<date>\d{8})")
    first, *rest = named.split(r"\{cc\}")
    return re.compile(first + (r"(?P<cc>\d\d)" if rest else "") + r"(?P=cc)".join(rest))


_PATTERNS = tuple(
    (model, part, _pattern(f"{model.day}/{model.folder}/{name}"))
    for model in MODELS
    for part, name in model.files
)


def file_at(path: str) -> ModelFile | None:
    """Return the GRIB file at *path* below com; None where no model has such a file."""
    for model, part, pattern in _PATTERNS:
        match = pattern.fullmatch(path)
        if match is None:
            continue
        try:
            cycle = datetime.strptime(match["date"] + match["cc"], "%Y%m%d%H").replace(tzinfo=UTC)
        except ValueError:
            return None
        hour = int(match["hour"])
        if cycle.hour % model.cycle_h == 0 and hour in model.hours_of(cycle):
            return ModelFile(model, cycle, hour, part)
    return None
