"""When NOMADS shows which file: offsets and cadences of nomads.md 1 and 8.7, as data."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from twf_async.replica.tree import COM

_FOR_EVER = 100_000.0
_DAY = re.compile(r"[a-z]+\.(?P<day>\d{8})(?:/|$)")


@dataclass(frozen=True, slots=True)
class Cadence:
    """Files up to last_hour, one every step_h hours, file_s seconds apart."""

    last_hour: int
    step_h: int
    file_s: float


@dataclass(frozen=True, slots=True)
class FileTime:
    """Whose file it is: cycle (aware UTC), forecast hour, and whether it is the .idx."""

    cycle: datetime
    hour: int
    is_idx: bool


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """How one model's runs appear.

    tree      directory that holds the day directories, below com
    file      matches a path below the tree: groups day, cycle, hour, idx
    offset_s  from the cycle to its complete f000
    cadence   in order of hours
    write_s   how long a file grows before it is complete
    idx_lag_s from the complete file to its .idx; negative: the .idx comes first
    keep_days days after which a day's directory is closed (403)
    short_h   last hour of the cycles other than 00, 06, 12, 18; None: the same as theirs
    """

    tree: str
    file: re.Pattern[str]
    offset_s: float
    cadence: tuple[Cadence, ...]
    write_s: float
    idx_lag_s: float
    keep_days: float
    short_h: int | None = None

    def read(self, path: str) -> FileTime | None:
        """Tell whose file *path* (from the server's root) is; None for one of no run."""
        match = self.file.fullmatch(path.removeprefix(f"{COM}/{self.tree}/"))
        cycle = _moment(match["day"], match["cycle"]) if match else None
        if match is None or cycle is None:
            return None
        return FileTime(cycle, int(match["hour"]), match["idx"] is not None)

    def has(self, cycle: datetime, hour: int) -> bool:
        """Say whether a run of *cycle* has this hour at all."""
        if self.short_h is not None and cycle.hour % 6 and hour > self.short_h:
            return False
        before = -self.cadence[0].step_h
        for part in self.cadence:
            if hour <= part.last_hour:
                return (hour - before) % part.step_h == 0
            before = part.last_hour
        return False

    def complete(self, cycle: datetime, hour: int) -> datetime:
        """Return when the file of *hour* is complete, in whole seconds."""
        after_s, done = self.offset_s, 0
        for part in self.cadence:
            reached = min(hour, part.last_hour)
            after_s += max(0, reached - done) / part.step_h * part.file_s
            done = part.last_hour
        return cycle + timedelta(seconds=round(after_s))

    def closed(self, path: str, now: datetime) -> bool:
        """Say whether *path* lies in a day's directory that is no longer kept."""
        match = _DAY.match(path.removeprefix(f"{COM}/{self.tree}/"))
        day = _moment(match["day"]) if match else None
        return day is not None and now >= day + timedelta(days=self.keep_days)


def _moment(day: str, hour: str = "00") -> datetime | None:
    """Read the date of a path; None for one that is in no calendar."""
    try:
        return datetime.strptime(day + hour, "%Y%m%d%H").replace(tzinfo=UTC)
    except ValueError:
        return None


def kept(plans: Sequence[ReleasePlan]) -> tuple[ReleasePlan, ...]:
    """Return the plans of a mirror: no day's directory is ever closed."""
    return tuple(replace(plan, keep_days=_FOR_EVER) for plan in plans)


_DATE = r"(?P<day>\d{8})"
_IDX = r"(?P<idx>\.idx)?"

PLANS: tuple[ReleasePlan, ...] = (
    ReleasePlan(
        tree="gfs/prod",
        file=re.compile(
            rf"gfs\.{_DATE}/(?P<cycle>\d\d)/atmos/gfs\.t\d\dz\.pgrb2[\w.]*\.f(?P<hour>\d{{3}}){_IDX}"
        ),
        offset_s=3 * 3600 + 25 * 60,
        cadence=(Cadence(120, 1, 13.0), Cadence(384, 3, 55.0)),
        write_s=10.0,
        idx_lag_s=2.0,
        keep_days=10.0,
    ),
    ReleasePlan(
        tree="hrrr/prod",
        file=re.compile(
            rf"hrrr\.{_DATE}/\w+/hrrr\.t(?P<cycle>\d\d)z\.wrf[a-z]+f(?P<hour>\d\d)\.grib2{_IDX}"
        ),
        offset_s=51 * 60,
        cadence=(Cadence(18, 1, 120.0), Cadence(48, 1, 48.0)),
        write_s=20.0,
        idx_lag_s=2.0,
        keep_days=3.0,
        short_h=18,
    ),
    ReleasePlan(
        tree="aigfs/prod",
        file=re.compile(
            rf"aigfs\.{_DATE}/(?P<cycle>\d\d)/model/atmos/grib2/"
            rf"aigfs\.t\d\dz\.\w+\.f(?P<hour>\d{{3}})\.grib2{_IDX}"
        ),
        offset_s=3 * 3600 + 40 * 60,
        cadence=(Cadence(384, 6, 5.0),),
        write_s=3.0,
        idx_lag_s=1.0,
        keep_days=10.0,
    ),
)
