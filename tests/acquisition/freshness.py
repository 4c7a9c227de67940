"""Prints how fresh maps are at the real cadence; docs/benchmarks.md says how to read it.

    python -m tests.acquisition.freshness [--noise 0.05] [--gfs 13] [--hrrr 5] [--hrrr-every 120]
                                          [--keep DIR]

Takes as long as the hours take to come: eleven minutes for thirteen of GFS and five of HRRR, 43 for
41 and a whole run of 19, fifteen for the latter with one each 40 s. Exit code 1 where the 95th
percentile is above its bar, or an hour is missing.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.acquisition.measure_freshness import Followed, followed
from twf_async.app.freshness import GOAL_S, PERCENTILES, STAGES, figures, percentiles, stage_s

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = REPOSITORY / "config"
STEP_H = {"gfs": 3, "hrrr": 1}
SHOWN = ("seen", "fetched", "rendered", "published")  # of each hour
MOST_HOURS = {"gfs": 41, "hrrr": 19}  # that come in one and the same rhythm


def told(got: Followed) -> tuple[str, bool]:
    """The table, and whether the bar holds."""
    heads = "".join(f"{f'p{percent}':>8}" for percent in PERCENTILES)
    lines, holds = [f"{'model':<6} {'hours':>7}  {'seconds from':<34}{heads}"], True
    for model, expected in got.hours.items():
        mine = [entry for entry in got.entries if entry.model == model]
        found = figures(mine)
        rows = {f".idx to {stage}": found["seconds"].get(stage, {}) for stage in STAGES}
        rows[".idx to told to a listener"] = percentiles(
            (got.served[model, entry.hour] - entry.upstream_at).total_seconds()
            for entry in mine
            if (model, entry.hour) in got.served
        )
        for what, each in rows.items():
            cells = "".join(f"{value:>8.2f}" for value in each.values())
            lines.append(f"{model:<6} {found['hours']:>3}/{expected:<3}  {what:<34}{cells}")
        price = got.prices[model]
        each, vain = price.requests / expected, price.vain / expected
        lines.append(f"{model:<6} {'':>7}  requests an hour {each:.2f}, {vain:.2f} of them in vain")
        p95 = found["seconds"].get("visible_to_published", {}).get("p95", float("inf"))
        holds &= found["hours"] == expected and p95 < GOAL_S
    lines.append(f"requests in the busiest minute: {got.busiest}")
    return "\n".join(lines), holds


def number_of_hours(model: str) -> Callable[[str], int]:
    """What the command line says of how many hours of a model are followed."""

    def read(text: str) -> int:
        if not 0 <= (count := int(text)) <= MOST_HOURS[model]:
            raise argparse.ArgumentTypeError(f"{count} is not from 0 to {MOST_HOURS[model]}")
        return count

    return read


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--noise", type=float, default=0.05, help="share of the cadence")
    for model, usual in (("gfs", 13), ("hrrr", 5)):
        count = number_of_hours(model)
        parser.add_argument(f"--{model}", type=count, default=usual, help="hours; 0: without it")
    parser.add_argument(
        "--hrrr-every",
        type=float,
        default=120.0,
        help="seconds from one hour of HRRR to the next; early and late by as much as with 120",
    )
    parser.add_argument("--keep", type=Path, help="keep state, maps and log in this directory")
    asked = parser.parse_args()
    hours = {
        model: range(0, count * STEP_H[model], STEP_H[model])
        for model, count in (("gfs", asked.gfs), ("hrrr", asked.hrrr))
        if count
    }
    if not hours:
        parser.error("there is nothing to follow: give --gfs or --hrrr some hours")
    with tempfile.TemporaryDirectory() as folder:
        root = asked.keep or Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        file_s = {"hrrr": asked.hrrr_every}
        got = asyncio.run(followed(root, CONFIG, hours, noise=asked.noise, file_s=file_s))
    table, holds = told(got)
    sys.stdout.write(f"{table}\n")
    for entry in got.entries:
        stages = stage_s(entry)
        cells = ", ".join(f"{name} {stages[name]:.2f} s" for name in SHOWN)
        sys.stdout.write(f"{entry.model} f{entry.hour:03d}: {cells}\n")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
