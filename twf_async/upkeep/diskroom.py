"""Whether the disk has room for downloads. Pure: a state and a look give the next state."""

from dataclasses import dataclass

from twf_async.settings.service import WatchdogSettings
from twf_async.upkeep.vitals import Vitals

MARGIN = 1.2  # free again only well above the floor
LARGEST_GB = 1e6  # a total that is not known is no floor


@dataclass(frozen=True, slots=True)
class DiskRoom:
    """full: why no download may start, "" while one may. low: an operator should be told."""

    full: str = ""
    low: bool = False


def floor_gb(now: Vitals, limits: WatchdogSettings) -> float:
    """Free space below which nothing new is fetched."""
    total_gb = now.disk_total_gb if now.disk_total_gb < LARGEST_GB else 0.0
    return max(limits.disk_floor_gb, limits.disk_floor_share * total_gb)


def survey(before: DiskRoom, now: Vitals, limits: WatchdogSettings) -> DiskRoom:
    """The state after a look."""
    floor = floor_gb(now, limits)
    full_below = MARGIN * floor if before.full else floor
    low_below = MARGIN * limits.disk_warn_gb if before.low else limits.disk_warn_gb
    return DiskRoom(
        "disk nearly full" if now.disk_free_gb < full_below else "",
        now.disk_free_gb < max(low_below, full_below),
    )


def wanted_gb(now: Vitals, limits: WatchdogSettings) -> float:
    """How much must be free for downloads to start again."""
    return MARGIN * floor_gb(now, limits)
