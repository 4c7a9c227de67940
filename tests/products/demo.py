"""Files of the synthetic atmosphere as the service would have fetched them, cut to a box."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import twf_async.replica  # noqa: F401 - pyproj before eccodes
from render_farm.domain.fields import MessageKey
from render_farm.domain.models import Model
from twf_async.clock import Clock
from twf_async.plan.urls import file_path
from twf_async.replica.atmosphere.synthetic_tree import SyntheticTree
from twf_async.replica.tree import COM, CropBox

Lies = dict[int, dict[MessageKey, str]]  # hour of the file -> message -> path


def write_demo(
    model: Model,
    cycle: str,
    wanted: dict[int, Iterable[MessageKey]],
    box: CropBox,
    directory: Path,
) -> Lies:
    """Write one file for each hour; AssertionError where the atmosphere lacks a message."""
    start = datetime.strptime(cycle, "%Y%m%d%H").replace(tzinfo=UTC)
    clock = Clock(start=start + timedelta(hours=12), speed=0.0)
    tree = SyntheticTree(clock, directory / "store")
    lies: Lies = {}
    for hour, keys in wanted.items():
        target = directory / f"{model.key}.{cycle}.f{hour:03d}.grib2"
        left = set(keys)
        with target.open("wb") as stream:
            for file in model.files:
                path = f"{COM}/{file_path(file, cycle, hour)}"
                held = [m for m in tree.messages(path) or () if m.key in left]
                stream.writelines(tree.cropped(path, held, box))
                left -= {message.key for message in held}
        assert not left, f"{model.key} f{hour:03d} lacks {sorted(map(str, left))}"
        lies[hour] = dict.fromkeys(keys, str(target))
    return lies
