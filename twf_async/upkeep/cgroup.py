"""How much memory this process's control groups still leave it, version 2 or 1.

psutil knows the host only, also inside a container or under `MemoryMax=` (psutil issue 2100). Every
ancestor counts: a limit may sit on a slice. Page cache that can be dropped is no use of
memory, so use = current - inactive_file - slab_reclaimable.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

UNLIMITED = 1 << 60  # version 1 writes its "no limit" as 2**63 rounded down to a page


@dataclass(frozen=True, slots=True)
class MemoryRoom:
    """What a group allows in all and still leaves, bytes; `group` is its directory."""

    limit: int
    available: int
    group: Path


def memory_room(proc: Path = Path("/proc")) -> MemoryRoom | None:
    """What all limits above this process leave; None where there is none.

    The smallest limit, and what the tightest group leaves, which may be another one: taking both
    of the tightest would let the share that is left jump up as memory is used up and another group
    becomes the tightest.
    """
    rooms = [room for group, version in _groups(proc) if (room := _room(group, version))]
    if not rooms:
        return None
    tightest = min(rooms, key=lambda room: room.available)
    return replace(tightest, limit=min(room.limit for room in rooms))


def own_group(proc: Path = Path("/proc")) -> Path | None:
    """The directory of this process's own version 2 group, where its pressure files are."""
    for group, version in _groups(proc):
        if version == 2:
            return group
    return None


def oom_kills(proc: Path = Path("/proc")) -> int:
    """How many processes the kernel has killed so far because memory ran out.

    Of this process's own group where it has one that counts, else of the whole machine.
    """
    for group, version in _groups(proc):
        name = "memory.events" if version == 2 else "memory.oom_control"
        if (count := _counter(group / name, "oom_kill")) is not None:
            return count
    return _counter(proc / "vmstat", "oom_kill") or 0


def _groups(proc: Path) -> Iterator[tuple[Path, int]]:
    """Directories from this process's group upwards, each with its version."""
    paths: dict[int, str] = {}
    for line in _lines(proc / "self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            paths[2] = path
        elif "memory" in controllers.split(","):
            paths[1] = path
    for line in _lines(proc / "self/mountinfo"):
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        version = {"cgroup2": 2, "cgroup": 1}.get(kind[0])
        if version is None or version not in paths:
            continue
        if version == 1 and "memory" not in kind[2].split(","):
            continue
        mount = Path(_unescaped(fields[4]))
        group = mount / _below(paths[version], _unescaped(fields[3]))
        while group != mount.parent:
            if group.is_dir():
                yield group, version
            group = group.parent


def _below(path: str, root: str) -> str:
    """A group's path as seen below a mount that shows *root*; "" where it lies outside."""
    root = root.rstrip("/")
    if path == root or path.startswith(f"{root}/"):
        inside = path.removeprefix(root).strip("/")
        return "" if ".." in inside.split("/") else inside
    return ""


def _room(group: Path, version: int) -> MemoryRoom | None:
    if version == 2:
        limits = [_number(group / name) for name in ("memory.high", "memory.max")]
        used = _number(group / "memory.current")
        cache: tuple[str, ...] = ("inactive_file", "slab_reclaimable")
    else:
        limits = [_number(group / "memory.limit_in_bytes")]
        used = _number(group / "memory.usage_in_bytes")
        cache = ("total_inactive_file",)
    known = [limit for limit in limits if limit is not None and limit < UNLIMITED]
    if not known or used is None:
        return None
    limit = min(known)
    droppable = sum(_counter(group / "memory.stat", name) or 0 for name in cache)
    return MemoryRoom(limit, max(0, limit - max(0, used - droppable)), group)


def _counter(path: Path, name: str) -> int | None:
    """The number behind *name* in a file of names and numbers."""
    for line in _lines(path):
        key, _, number = line.partition(" ")
        if key == name and number.strip().isdecimal():
            return int(number)
    return None


def _number(path: Path) -> int | None:
    text = next(iter(_lines(path)), "")
    return int(text) if text.isdecimal() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _unescaped(field: str) -> str:
    return field.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
