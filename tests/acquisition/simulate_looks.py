"""Prints how late the hours of runs are noticed, in virtual time; docs/benchmarks.md, Freshness.

    python -m tests.acquisition.simulate_looks [--runs 28] [--seeds 5] [--noise 0.05] [--model gfs]

Runs begin as nomads.md 1 has it: "even", up to four minutes apart; "wide", up to eight (f000 of GFS
at +3:25 to +3:33); "alone", f000 so, and f006 at +3:34 to +3:36 as always. By how many runs the
service has followed: the first days of a new one are the upper lines.
"""

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from tests.plan.test_release_cadence import CYCLE, Follower, released
from twf_async.plan.runs import cycle_time, next_cycle
from twf_async.settings.load import load

CONFIG = Path(__file__).resolve().parents[2] / "config"
BANDS = ((1, 3), (4, 6), (7, 14), (15, 99))
AGAIN_MIN = 214.0  # f006 of GFS, two minutes wide


def _even(key, cycle, chance, noise):
    return released(key, cycle, chance, noise=noise)


def _wide(key, cycle, chance, noise):
    return released(key, cycle, chance, noise=noise, late_s=480.0)


def _alone(key, cycle, chance, noise):
    out = _wide(key, cycle, chance, noise)
    start = cycle_time(cycle) + timedelta(minutes=AGAIN_MIN)
    waits = start + timedelta(seconds=round(chance.uniform(0, 120))) - out[6]
    return {hour: at + max(waits, timedelta(0)) if hour else at for hour, at in out.items()}


RELEASES = {"even": _even, "wide": _wide, "alone": _alone}


def main() -> int:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=28, help="followed one after the other")
    parser.add_argument("--seeds", type=int, default=5, help="times all of that")
    parser.add_argument("--noise", type=float, default=0.05, help="share of the time between files")
    parser.add_argument("--model", choices=["gfs", "hrrr"], default="gfs")
    asked = parser.parse_args()
    for name in RELEASES if asked.model == "gfs" else ("even", "wide"):
        for line in _simulated(asked, RELEASES[name]):
            sys.stdout.write(f"{asked.model} {name:<6} {line}\n")
            sys.stdout.flush()
    return 0


def _simulated(asked: argparse.Namespace, release: Callable[..., dict]) -> list[str]:
    catalog = load(CONFIG, {}).catalog
    told: dict[tuple[int, int], list] = {band: [] for band in BANDS}
    for seed in range(asked.seeds):
        chance = random.Random(seed)
        one = Follower(catalog.models[asked.model], [catalog.products["t2m"]], chance)
        cycle = CYCLE
        for number in range(1, asked.runs + 1):
            out = release(asked.model, cycle, chance, asked.noise)
            found = one.find(cycle, out, out[0] - timedelta(hours=1))
            vain = one.misses
            one.follow(cycle, out, found)
            cost = (one.spent + one.misses) / len(one.delays)
            band = next(band for band in BANDS if band[0] <= number <= band[1])
            told[band].append((one.delays, vain, cost))
            cycle = next_cycle(one.model, cycle)
    return [_line(band, runs) for band, runs in told.items() if runs]


def _line(band: tuple[int, int], runs: Sequence[tuple[list[float], int, float]]) -> str:
    late = {
        "first": [delays[0] for delays, *_ in runs],
        "second": [delays[1] for delays, *_ in runs],
        "all": [delay for delays, *_ in runs for delay in delays],
    }
    cells = (
        f"{name} {_at(each, 0.5):.1f} / {_at(each, 0.95):.1f} s" for name, each in late.items()
    )
    vain, cost = (sum(run[part] for run in runs) / len(runs) for part in (1, 2))
    return (
        f"runs {band[0]}-{band[1]}: seen p50 / p95 {', '.join(cells)};"
        f" {vain:.0f} in vain for the run, {cost:.2f} requests an hour"
    )


def _at(each: Sequence[float], share: float) -> float:
    return sorted(each)[min(int(share * len(each)), len(each) - 1)]


if __name__ == "__main__":
    sys.exit(main())
