"""Looks at a machine of 1000 MB and 250 GB, and a watchdog over them."""

from dataclasses import replace

from twf_async.clock import Clock
from twf_async.settings.service import WatchdogSettings
from twf_async.upkeep.diary import Diary
from twf_async.upkeep.diskguard import DiskGuard
from twf_async.upkeep.disks import Disk
from twf_async.upkeep.foreman import Foreman
from twf_async.upkeep.vitals import Vitals
from twf_async.upkeep.watchdog import Watchdog

LIMITS = WatchdogSettings(interval_s=0.001)
EVERYTHING = ("state_dir", "cache_dir", "publish_dir")


def disk(free_gb=80.0, total_gb=250.0, names=EVERYTHING, **facts):
    return Disk(names, free_gb, total_gb, **facts)


WELL = Vitals(1000.0, 500.0, disks=(disk(),))


def look(*, disk_free_gb=80.0, **changes):
    return replace(WELL, **{"disks": (disk(disk_free_gb),)} | changes)


CRITICAL = look(memory_available_mb=20.0)
LOW = look(memory_available_mb=70.0)
MIDDLING = look(memory_available_mb=150.0)


class Scripted:
    """A sampler that shows one look after the other, the last one for ever."""

    def __init__(self, *looks):
        self.looks = list(looks)

    def sample(self):
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


class Cleaned:
    """Notes how many bytes were asked for and where, and frees nothing."""

    def __init__(self):
        self.wanted = []

    async def __call__(self, wanted):
        self.wanted.append(dict(wanted))
        return 0


def watchdog(
    sampler,
    gate,
    events,
    *,
    monotonic,
    crew=None,
    make_room=None,
    tell=None,
    late_s=10.0,
    patience_s=60.0,
):
    def settings():
        return LIMITS

    diary = Diary(Clock())
    return Watchdog(
        sampler,
        gate,
        events,
        settings,
        diary=diary,
        foreman=crew and Foreman(crew, settings, diary),
        disk=DiskGuard(
            gate,
            settings,
            diary,
            make_room=make_room or Cleaned(),
            tell=tell or (lambda _: None),
            patience_s=patience_s,
        ),
        monotonic=monotonic,
        late_s=late_s,
    )
