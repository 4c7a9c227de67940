"""GRIB files of the synthetic atmosphere, for whoever has no real ones: benchmark and gallery.

What the service would have fetched of one hour: the messages that the products need, cut to the
regions where the model's files can be cut. Made by a child process, which may load arrays.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import BaseContext
from pathlib import Path, PurePath
from typing import Any

from render_farm.domain.fields import MessageKey
from render_farm.domain.models import ModelFile
from render_farm.domain.places import Box
from render_farm.worker import entry
from twf_async.app.loopback import die_with_parent
from twf_async.errors import TwfError
from twf_async.farm.boot import ask_once
from twf_async.plan.boxes import union
from twf_async.plan.orders import products_of, wanted_by_hour
from twf_async.plan.urls import file_path
from twf_async.settings.load import Settings


@dataclass(frozen=True, slots=True)
class DemoHour:
    """One forecast hour of one model of the synthetic atmosphere."""

    model: str
    cycle: str
    hour: int


NOTICE = "synthetic demo data"
# A winter storm on the west coast: rain, snow, sleet; late enough for windows of a day.
DEMO_HOURS = (
    DemoHour("gfs", "2026012712", 30),
    DemoHour("aigfs", "2026012712", 30),
    DemoHour("hrrr", "2026012712", 30),
)


def write_demo_files(
    settings: Settings,
    hours: Iterable[DemoHour],
    products: tuple[str, ...] | None,
    regions: Iterable[str],
    context: BaseContext,
    directory: Path,
) -> dict[str, tuple[Path, ...]]:
    """Write the files of *hours*, which are of one cycle a model; returns model -> its files.

    products  that the messages are wanted for; None: all of a model
    regions   keys of those that will be drawn; files that can be cut hold no more
    raises    TwfError where they cannot be made
    """
    shown = tuple(settings.catalog.regions[key] for key in regions)
    box = union(view.box for view in ask_once(context, partial(entry.region_views, shown)))
    written: dict[str, tuple[Path, ...]] = {}
    for demo in hours:
        if demo.model in settings.catalog.models:
            request = demo_request(settings, demo, products, box, directory / demo.model)
            _write(request)
            targets = (Path(file["target"]) for file in request["files"])
            made = tuple(path for path in targets if path.exists())
            written[demo.model] = written.get(demo.model, ()) + made
    return written


def demo_request(
    settings: Settings,
    demo: DemoHour,
    products: tuple[str, ...] | None,
    box: Box,
    directory: Path,
) -> dict[str, Any]:
    """What `twf_async.replica.demo_files` is asked for, to draw *products* at an hour. Pure."""
    model = settings.catalog.models[demo.model]
    made = products_of(settings.catalog, model, products)
    files = [
        _file(file, demo.cycle, hour, keys, box, directory)
        for hour, keys in wanted_by_hour(model, made, [demo.hour]).items()
        for file in model.files
    ]
    kept = settings.service.cache_dir / "demo"
    return {"cycle": demo.cycle, "cache_dir": str(kept), "files": files}


def _file(
    file: ModelFile,
    cycle: str,
    hour: int,
    keys: frozenset[MessageKey],
    box: Box,
    directory: Path,
) -> dict[str, Any]:
    path = file_path(file, cycle, hour)
    return {
        "path": path,
        "keys": [_plain(key) for key in sorted(keys)],
        "box": _sides(box) if file.filter else None,
        "target": str(directory / PurePath(path).name),
    }


def _plain(key: MessageKey) -> list[object]:
    return [key.parameter, key.level, key.start_h, key.end_h, key.statistic.value]


def _sides(box: Box) -> dict[str, float]:
    return {"left": box.west, "right": box.east, "bottom": box.south, "top": box.north}


def _write(request: dict[str, Any]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "twf_async.replica.demo_files"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - no other thread is at work
    ) as process:
        try:
            _, told = process.communicate(json.dumps(request))
        except BaseException:
            process.kill()
            process.wait()  # whoever is interrupted would leave after a quarter of a second
            raise
    if process.returncode != 0:
        last = (told.strip().splitlines() or ["no reason given"])[-1]
        raise TwfError(f"the synthetic atmosphere could not be made: {last}")
