"""How the service behaves towards the other side, beside its bars (docs/benchmarks.md).

    python -m tests.acquisition.measure [bytes] [ranges] [busy] [beside] [steady] [prompt] [memory]

All of it takes about a quarter of an hour, most of them spent waiting for a budget in real minutes.
Exit code 1 where a figure is above its bar.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.acquisition.measure_bytes import cases, compared
from tests.acquisition.measure_manners import ALL, Manners, manners, stage
from tests.acquisition.measure_memory import megabytes
from tests.acquisition.measure_ranges import fetched, planned
from tests.acquisition.measure_service import Followed, Following, followed
from tests.acquisition.rehearsal import Stage
from twf_async.farm.boot import boot
from twf_async.replica.manners import busiest, downloaded_twice, not_due
from twf_async.settings.load import load

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = REPOSITORY / "config"
TEST_DATA = Path(os.environ.get("TWF_TEST_DATA", REPOSITORY.parent / "shared"))
PER_MIN = 60
WHOLE_RUN = Following(
    30.0, 1800, datetime(2026, 1, 29, 15, 5, tzinfo=UTC), "0-120/3,126-384/6", 900.0
)
PROMPT = Following(6.0, PER_MIN, datetime(2026, 1, 29, 15, 16, tzinfo=UTC), "0-36/3", 600.0)
BUSY_SPEED = 30.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; bar None: for information."""

    what: str
    figure: float
    bar: float | None = None
    form: str = "{:.0f}"

    @property
    def above(self) -> bool:
        """Whether the bar does not hold."""
        return self.bar is not None and self.figure > self.bar

    def __str__(self) -> str:
        bar = "" if self.bar is None else self.form.format(self.bar)
        return (
            f"{self.what:<78} {bar:>9} {self.form.format(self.figure):>9}"
            f"{'  ABOVE' if self.above else ''}"
        )


def of_bytes() -> Iterator[Figure]:
    """The splits over real inventories, and the least that is possible."""
    catalog = load(CONFIG, {}).catalog
    for each in compared(case for case in cases(TEST_DATA, catalog) if case.box != "tiny"):
        case = each.case
        name = f"{case.model} f{case.hour:03d} {case.box} ({case.chosen.method.lower()})"
        yield Figure(f"{name}: bytes, of the least in 3 requests", each.over_three, 1.1, "{:.3f}")
        yield Figure(f"{name}: of the least in 4", each.over_four, None, "{:.3f}")


def of_ranges() -> Iterator[Figure]:
    """Hours in byte ranges over the whole country, all products."""
    for name, one, several in planned(TEST_DATA, load(CONFIG, {}).catalog):
        yield Figure(f"{name}: requests for its ranges", several.requests, 1)
        yield Figure(f"{name}: one range a request", one.requests)
        more = several.megabytes / one.megabytes
        yield Figure(f"{name}: bytes, of those with one range a request", more, 1.0, "{:.3f}")
    with tempfile.TemporaryDirectory() as folder:
        costs = asyncio.run(fetched(Path(folder), CONFIG))
    for (model, several_at_once), cost in costs.items():
        name = "several at once" if several_at_once else "one range a request"
        most = {"aigfs": 4, "hrrr": 2}[model] if several_at_once else None
        yield Figure(f"{model} conus, {name}: requests an hour", cost.requests, most, "{:.1f}")
        yield Figure(f"{model} conus, {name}: megabytes", cost.megabytes, None, "{:.2f}")


def of_busy() -> Iterator[Figure]:
    """All three models at once, on a clock so fast that the budget is always spent."""
    with tempfile.TemporaryDirectory() as folder:
        on = stage(speed=BUSY_SPEED, per_min=PER_MIN)
        got: Manners = asyncio.run(manners(Path(folder) / "busy", TEST_DATA, on, boot()))
    minutes = got.took_s / 60
    yield Figure("three models: requests in the busiest 60 s", got.busiest_minute, PER_MIN)
    yield Figure("three models: requests a minute, over all", got.total / minutes, PER_MIN)
    yield Figure("three models: requests for hours that cannot exist", got.not_due, 0)
    yield Figure("three models: messages downloaded twice", got.twice, 0)
    for model in ALL:
        yield Figure(f"{model}: requests an hour", got.per_hour(model), None, "{:.2f}")
    drained = got.drained_s["aigfs"]
    yield Figure("aigfs, all hours at once: seconds to drain", drained)
    yield Figure(
        "aigfs: share of the budget meanwhile", got.requests["aigfs"] / drained, 1.0, "{:.2f}"
    )


def of_beside() -> Iterator[Figure]:
    """GFS hours that appear while AIGFS, all of it there, is caught up with."""
    on = Stage(
        cycles={"aigfs": ("2026012906",), "gfs": ("2026012912",)},
        hours={"aigfs": "0-192/6", "gfs": "0-36/3"},
        speed=4.0,
        settings={
            "TWF_UPSTREAM__REQUESTS_PER_MIN": str(PER_MIN),
            "TWF_CLOCK__START": "2026-01-29T15:24:00Z",
        },
    )
    with tempfile.TemporaryDirectory() as folder:
        got = asyncio.run(manners(Path(folder) / "beside", TEST_DATA, on, boot()))
    drained = got.drained_s["aigfs"]
    times = got.sight_to_file_s["gfs"]
    yield Figure("aigfs, all hours there: seconds to drain beside gfs", drained)
    yield Figure("both: requests a minute meanwhile", 60 * got.total / got.took_s, PER_MIN)
    yield Figure("both: requests in the busiest 60 s", got.busiest_minute, PER_MIN)
    yield Figure(
        "gfs meanwhile: seconds from .idx to verified file, median", median(times), None, "{:.2f}"
    )
    yield Figure("gfs meanwhile: the slowest", times[-1], None, "{:.2f}")


def of_steady() -> Iterator[Figure]:
    """A whole GFS run of 85 hours, all products, from the first look for it."""
    got = _followed(WHOLE_RUN)
    yield Figure(
        f"gfs, {got.hours} hours: requests an hour, polling included", got.per_hour, 4.0, "{:.2f}"
    )
    yield Figure("gfs: of them filter requests", got.filtered_per_hour, None, "{:.2f}")
    yield Figure("gfs: looks in vain, of the whole run", got.in_vain)
    yield Figure("gfs: requests for hours that cannot exist", len(not_due(got.all_hits)), 0)
    yield Figure("gfs: messages downloaded twice", len(downloaded_twice(got.all_hits)), 0)


def of_prompt() -> Iterator[Figure]:
    """How long an hour takes with a budget of 60 a minute."""
    got = _followed(PROMPT)
    times = got.sight_to_file_s
    yield Figure(
        "gfs: seconds from its .idx to its verified file, median", median(times), 3.0, "{:.2f}"
    )
    yield Figure("gfs: the slowest of them", times[-1], None, "{:.2f}")
    yield Figure("gfs: requests in the busiest 60 s", busiest(got.all_hits), PER_MIN)


def of_memory() -> Iterator[Figure]:
    """What 85 hours of ten megabytes add to a process."""
    with tempfile.TemporaryDirectory() as folder:
        got = asyncio.run(megabytes(TEST_DATA, Path(folder), CONFIG))
    yield Figure("85 hours: megabytes received", got["received"])
    yield Figure("85 hours: megabytes resident before", got["before"])
    yield Figure("85 hours: megabytes more at the most", got["most"] - got["before"], 60)
    yield Figure("85 hours: megabytes more afterwards", got["after"] - got["before"], 60)


def _followed(how: Following) -> Followed:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "service"
        root.mkdir()
        return asyncio.run(followed(root, how, Path(folder) / "synthetic"))


NEED_FILES = {"bytes", "ranges", "busy", "beside", "memory"}
PARTS = {
    "bytes": of_bytes,
    "ranges": of_ranges,
    "busy": of_busy,
    "beside": of_beside,
    "steady": of_steady,
    "prompt": of_prompt,
    "memory": of_memory,
}


def main(names: list[str]) -> int:
    """Measure the parts named, or all; 1 where a bar does not hold."""
    above = 0
    sys.stdout.write(f"{'':<78} {'bar':>9} {'figure':>9}\n")
    for name in names or PARTS:
        if name in NEED_FILES and not (TEST_DATA / "nomads").is_dir():
            sys.stdout.write(f"{name}: no real files at {TEST_DATA}; set TWF_TEST_DATA\n")
            continue
        for figure in PARTS[name]():
            sys.stdout.write(f"{figure}\n")
            sys.stdout.flush()
            above += figure.above
    return 1 if above else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
