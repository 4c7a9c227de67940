"""The .idx of GRIB files that come without one, by the wgrib2 text rules."""

from pathlib import Path
from threading import Lock

from render_farm.domain.grib2 import GribError, walk


class Inventories:
    """Builds inventories from the files' sections and remembers them while a file is unchanged."""

    def __init__(self) -> None:
        self._built: dict[Path, tuple[tuple[int, int], str | None]] = {}
        self._lock = Lock()

    def text(self, file: Path) -> str | None:
        """Return the .idx text of *file*; None where it is no whole GRIB2 file."""
        stat = file.stat()
        version = stat.st_mtime_ns, stat.st_size
        with self._lock:
            known = self._built.get(file)
            if known is None or known[0] != version:
                known = self._built[file] = version, _inventory(file)
        return known[1]


def _inventory(file: Path) -> str | None:
    lines = []
    number = 0
    try:
        with file.open("rb") as stream:
            for head in walk(stream):
                number += head.part == 1
                shown = f"{number}.{head.part}" if head.parts > 1 else f"{number}"
                lines.append(f"{shown}:{head.offset}:d={head.cycle}:{head.text}:\n")
    except GribError:
        return None
    return "".join(lines)
