"""Prints how fresh maps are at the real cadence; docs/benchmarks.md says how to read it.

    python -m tests.acquisition.freshness [--noise 0.05] [--gfs 13] [--hrrr 5] [--keep DIR]

Takes as long as the hours take to come: eleven minutes for thirteen of GFS and five of HRRR. Exit
code 1 where the 95th percentile is above its bar, or an hour is missing.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.acquisition.measure_freshness import Followed, followed
from twf_async.app.freshness import GOAL_S, PERCENTILES, STAGES, figures, percentiles

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = REPOSITORY / "config"
STEP_H = {"gfs": 3, "hrrr": 1}


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
        p95 = found["seconds"].get("visible_to_published", {}).get("p95", float("inf"))
        holds &= found["hours"] == expected and p95 < GOAL_S
    return "\n".join(lines), holds


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--noise", type=float, default=0.05, help="share of the cadence")
    parser.add_argument("--gfs", type=int, default=13, help="hours of GFS")
    parser.add_argument("--hrrr", type=int, default=5, help="hours of HRRR")
    parser.add_argument("--keep", type=Path, help="keep state, maps and log in this directory")
    asked = parser.parse_args()
    hours = {
        model: range(0, count * STEP_H[model], STEP_H[model])
        for model, count in (("gfs", asked.gfs), ("hrrr", asked.hrrr))
    }
    with tempfile.TemporaryDirectory() as folder:
        root = asked.keep or Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        got = asyncio.run(followed(root, CONFIG, hours, noise=asked.noise))
    table, holds = told(got)
    sys.stdout.write(f"{table}\n")
    for entry in got.entries:
        seen_s, online_s = (
            (at - entry.upstream_at).total_seconds() for at in (entry.seen_at, entry.published_at)
        )
        sys.stdout.write(
            f"{entry.model} f{entry.hour:03d}: seen {seen_s:.2f} s, online {online_s:.2f} s\n"
        )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
