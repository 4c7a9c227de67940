"""Whether the disks have room for downloads and maps. Pure: a state and a look give the next one.

Each file system is judged by itself: a small one with enough room must not hide a large one that is
full.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from twf_async.settings.service import WatchdogSettings
from twf_async.upkeep.disks import Disk

MARGIN = 1.2  # free again only well above the floor
STORES = frozenset({"cache_dir", "publish_dir"})  # the state outlives a disk that takes nothing


@dataclass(frozen=True, slots=True)
class DiskRoom:
    """What holds now.

    full         why no download may start, "" while one may
    low          an operator should be told
    full_names, low_names   the directories that this is about
    wanted_gb    of directories where deleting may help: what must be free there for downloads to
                 start again; 0 where it is the number of files that is too large
    """

    full: str = ""
    low: bool = False
    full_names: frozenset[str] = frozenset()
    low_names: frozenset[str] = frozenset()
    wanted_gb: dict[str, float] = field(default_factory=dict)


def floor_gb(disk: Disk, limits: WatchdogSettings) -> float:
    """Free space below which nothing new is fetched: its own for each file system."""
    return max(limits.disk_floor_gb, limits.disk_floor_share * disk.total_gb)


def survey(before: DiskRoom, disks: Sequence[Disk], limits: WatchdogSettings) -> DiskRoom:
    """The state after a look."""
    several = len(disks) > 1
    reasons: list[str] = []
    full, low = set[str](), set[str]()
    wanted: dict[str, float] = {}
    for disk in disks:
        was_full = not before.full_names.isdisjoint(disk.names)
        if found := [*_faults(disk, limits, was_full=was_full)]:
            full.update(disk.names)
            reasons += [f"{why}: {_named(disk.names)}" if several else why for why in found]
        if _is_short(disk, limits, was_full=was_full):
            wanted |= dict.fromkeys(disk.names, MARGIN * floor_gb(disk, limits))
        elif _is_crowded(disk, limits, was_full=was_full):
            wanted |= dict.fromkeys(disk.names, 0.0)
        was_low = not before.low_names.isdisjoint(disk.names)
        if _is_low(disk, limits, was_low=was_low, is_full=bool(found)):
            low.update(disk.names)
    return DiskRoom(
        "; ".join(dict.fromkeys(reasons)), bool(low), frozenset(full), frozenset(low), wanted
    )


def _faults(disk: Disk, limits: WatchdogSettings, *, was_full: bool) -> Iterator[str]:
    """Why nothing may be fetched, as far as this disk goes."""
    if disk.fault:
        yield f"disk cannot be looked at ({disk.fault})"
    elif disk.read_only:
        if not STORES.isdisjoint(disk.names):
            yield "disk is read-only"
    else:
        if _is_short(disk, limits, was_full=was_full):
            yield "disk nearly full"
        if _is_crowded(disk, limits, was_full=was_full):
            yield "disk can hold hardly any more files"


def _is_short(disk: Disk, limits: WatchdogSettings, *, was_full: bool) -> bool:
    if disk.fault or disk.read_only:
        return False
    floor = floor_gb(disk, limits)
    return disk.free_gb < (MARGIN * floor if was_full else floor)


def _is_crowded(disk: Disk, limits: WatchdogSettings, *, was_full: bool) -> bool:
    """Whether hardly any file can be made, whatever bytes are free (inodes)."""
    if disk.fault or disk.read_only:
        return False
    floor = limits.disk_floor_share * disk.files_total
    return disk.files_free < (MARGIN * floor if was_full else floor)


def _is_low(disk: Disk, limits: WatchdogSettings, *, was_low: bool, is_full: bool) -> bool:
    if disk.fault:
        return False
    bar = MARGIN * limits.disk_warn_gb if was_low else limits.disk_warn_gb
    return disk.free_gb < bar or (is_full and not disk.read_only)


def _named(names: Iterable[str]) -> str:
    return ", ".join(names)
