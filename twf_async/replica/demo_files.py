"""Writes messages of the synthetic atmosphere into GRIB files, as the service would have fetched
them: whole grids, or cut to a box as the filter does. For benchmarks and galleries without NOMADS.

`python -m twf_async.replica.demo_files`: orders as JSON on stdin (`{"cycle", "cache_dir", "files":
[{"path", "keys", "box", "target"}]}`), nothing on stdout. A program of its own, because it loads
array libraries that the service must not.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from render_farm.domain.fields import MessageKey, Statistic
from twf_async.clock import Clock
from twf_async.replica.atmosphere.synthetic_tree import SyntheticTree
from twf_async.replica.tree import COM, CropBox, FileMessage

_LATER = timedelta(hours=12)  # every hour of a run is there once it has begun


@dataclass(frozen=True, slots=True)
class FileOrder:
    """One file to be written.

    path   of the model's file below com ("gfs/prod/gfs.20260129/12/atmos/...")
    keys   of the messages wanted of it
    box    None: whole grids
    target where to write; nothing is written where the file holds none of them
    """

    path: str
    keys: frozenset[MessageKey]
    box: CropBox | None
    target: Path

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Self:
        """Read an order as it stands in the JSON."""
        keys = frozenset(
            MessageKey(parameter, level, start, end, Statistic(statistic))
            for parameter, level, start, end, statistic in entry["keys"]
        )
        box = CropBox.of(**entry["box"]) if entry["box"] else None
        return cls(entry["path"], keys, box, Path(entry["target"]))


def write_files(cycle: datetime, cache_dir: Path, orders: Iterable[FileOrder]) -> None:
    """Write every file that an order asks for; what a file does not hold is left out."""
    tree = SyntheticTree(Clock(start=cycle + _LATER, speed=0.0), cache_dir)
    for order in orders:
        held = tree.messages(f"{COM}/{order.path}") or ()
        wanted = [message for message in held if message.key in order.keys]
        if not wanted:
            continue
        order.target.parent.mkdir(parents=True, exist_ok=True)
        part = order.target.with_name(f"{order.target.name}.part")
        with part.open("wb") as stream:
            stream.writelines(_content(tree, order, wanted))
        part.replace(order.target)


def _content(tree: SyntheticTree, order: FileOrder, wanted: list[FileMessage]) -> Iterator[bytes]:
    path = f"{COM}/{order.path}"
    if order.box is not None:
        yield from tree.cropped(path, wanted, order.box)
        return
    for message in wanted:
        yield from tree.open_range(path, message.offset, message.offset + message.length)


def main() -> None:
    """Read the orders from stdin and write their files."""
    request = json.load(sys.stdin)
    cycle = datetime.strptime(request["cycle"], "%Y%m%d%H").replace(tzinfo=UTC)
    orders = [FileOrder.of(entry) for entry in request["files"]]
    write_files(cycle, Path(request["cache_dir"]), orders)


if __name__ == "__main__":
    main()
