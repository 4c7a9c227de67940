"""What is written around a map, as strings. Pure: no clock, no pixels.

Where a line may have to be shortened, it is a tuple, longest form first; `furniture` takes the
first that fits. The `widest` forms have the same shape in every hour: room is measured with them,
so a title does not change its size within a loop.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from render_farm.domain.style import Style
from render_farm.draw.mapkey import KeyItem

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WIDEST_DAY, WIDEST_MONTH = "Wed", "May"  # in DejaVu Sans, both weights
SEPARATOR = " · "


@dataclass(frozen=True, slots=True)
class Extreme:
    """A lowest or highest value on the map, written out, with where it lies ("near Butte")."""

    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Captions:
    """The texts of one frame."""

    title: tuple[str, ...]
    valid: tuple[str, ...]
    valid_widest: tuple[str, ...]
    subtitle: tuple[str, ...]
    lead: tuple[str, ...]
    lead_widest: tuple[str, ...]
    notice: str
    facts: tuple[str, ...]
    credit: tuple[str, ...]
    key: tuple[KeyItem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Moment:
    """A time in UTC as words, and the same in the region's zone ("" where that is UTC)."""

    day: str
    date: str
    year: str
    zulu: str
    local: str


def cycle_time(cycle: str) -> datetime:
    """The start of a run: "2026012912" -> 2026-01-29 12:00 UTC. ValueError if it is no time."""
    return datetime.strptime(cycle, "%Y%m%d%H").replace(tzinfo=UTC)


def zone_name(moment: datetime) -> str:
    """The abbreviation of an aware time's zone; zones without one become `UTC+5:45`."""
    name = moment.tzname() or "UTC"
    if name[0] not in "+-":
        return name
    offset = moment.utcoffset() or timedelta()
    minutes = round(abs(offset).total_seconds() / 60)
    sign = "\u2212" if offset < timedelta() else "+"
    rest = f":{minutes % 60:02d}" if minutes % 60 else ""
    return f"UTC{sign}{minutes // 60}{rest}"


def clock_text(moment: datetime) -> str:
    """The hour as a 12-hour clock shows it, minutes only where there are any: `11:30 PM`."""
    minutes = f":{moment.minute:02d}" if moment.minute else ""
    return f"{moment.hour % 12 or 12}{minutes} {'AM' if moment.hour < 12 else 'PM'}"


def _moment(when: datetime, timezone: str) -> _Moment:
    local = when.astimezone(ZoneInfo(timezone))
    words = ""
    if zone_name(local) != "UTC":
        day = f"{DAYS[local.weekday()]} " if local.date() != when.date() else ""
        words = f"{day}{clock_text(local)} {zone_name(local)}"
    return _Moment(
        DAYS[when.weekday()],
        f"{when.day} {MONTHS[when.month - 1]}",
        str(when.year),
        f"{when:%H}Z",
        words,
    )


def _widest(when: datetime, moment: _Moment, timezone: str) -> _Moment:
    local = when.astimezone(ZoneInfo(timezone))
    hour = f"10:{local.minute:02d}" if local.minute else "10"
    words = f"{WIDEST_DAY} {hour} PM {zone_name(local)}" if moment.local else ""
    return _Moment(WIDEST_DAY, f"30 {WIDEST_MONTH}", moment.year, "00Z", words)


def _valid_forms(moment: _Moment) -> tuple[str, ...]:
    short = f"{moment.day} {moment.date} {moment.zulu}"
    local = SEPARATOR + moment.local if moment.local else ""
    return (
        f"Valid {moment.day} {moment.date} {moment.year} {moment.zulu}{local}",
        short + local,
        short,
        f"{moment.date} {moment.zulu}",
    )


def _subtitle(region_title: str, init: _Moment) -> tuple[str, ...]:
    return (
        f"{region_title}{SEPARATOR}Init {init.day} {init.date} {init.year} {init.zulu}",
        f"{region_title}{SEPARATOR}Init {init.date} {init.zulu}",
        f"Init {init.date} {init.zulu}",
    )


def _facts(note: str, lowest: Extreme | None, highest: Extreme | None, unit: str) -> list[str]:
    found: list[str] = [note] if note else []
    short = list(found)
    times = "× " if unit[:1].isdigit() else ""  # 37 × 10⁻⁵ s⁻¹
    for name, extreme in (("Min", lowest), ("Max", highest)):
        if extreme is not None and extreme.text:
            short.append(f"{name} {extreme.text} {times}{unit}".rstrip())
            found.append(f"{short[-1]} {extreme.place}".rstrip())
    return [SEPARATOR.join(found), SEPARATOR.join(short)]


def captions(
    *,
    model_title: str,
    product_title: str,
    unit: str,
    region_title: str,
    cycle: str,
    hour: int,
    timezone: str,
    style: Style,
    notice: str = "",
    note: str = "",
    key: tuple[KeyItem, ...] = (),
    lowest: Extreme | None = None,
    highest: Extreme | None = None,
) -> Captions:
    """The texts of one frame.

    unit      of the fill, "" where there is none
    cycle     "2026012912", UTC; ValueError otherwise
    timezone  IANA name; an unknown one raises zoneinfo.ZoneInfoNotFoundError
    notice    what nobody may overlook ("synthetic demo data"), never shortened
    note      how this model's map differs ("type unknown"), before minimum and maximum
    key       what the map's lines and symbols are
    """
    start = cycle_time(cycle)
    valid = start + timedelta(hours=hour)
    init, then = _moment(start, timezone), _moment(valid, timezone)
    lead = f"f{hour:03d}"
    title = f"{model_title}{SEPARATOR}{product_title}"
    return Captions(
        title=(f"{title} ({unit})" if unit else title, title),
        valid=_valid_forms(then),
        valid_widest=_valid_forms(_widest(valid, then, timezone)),
        subtitle=_subtitle(region_title, init),
        lead=(f"{lead}{SEPARATOR}+{hour} h", lead),
        lead_widest=(f"f000{SEPARATOR}+000 h", "f000"),
        notice=notice,
        key=key,
        facts=tuple(_facts(note, lowest, highest, unit)),
        credit=(f"{style.credit}{SEPARATOR}{style.brand}", style.brand),
    )
