"""What a replica's hit log says of the whole service: pace, requests in vain, early or twice, and
how long an hour takes from the first sight of its `.idx` to its verified file.

The replica's clock runs fast, the budget of requests is in real minutes: the faster the clock, the
scarcer requests are. Back-offs do not matter here, for nothing fails.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.context import BaseContext
from pathlib import Path

from tests.acquisition.rehearsal import Rehearsal, Stage, rehearsing
from twf_async.replica.hits import Hit
from twf_async.replica.manners import busiest, downloaded_twice, file_of, not_due

_HOUR = re.compile(
    r"(?P<model>gfs|aigfs|hrrr)\.(?P<day>\d{8})/.*\.t(?P<cc>\d\d)z\..*f(?P<hour>\d+)"
)
ALL = {  # runs that come at the same time, and the hours that are followed
    "gfs": ("2026012912", "0-42/3"),
    "aigfs": ("2026012912", "0-96/6"),
    "hrrr": ("2026012915", "0-9"),
}


@dataclass(frozen=True, slots=True)
class Manners:
    """What a rehearsal has cost.

    requests    of each model
    hours       of each model that were published
    sight_to_file_s  of each model: for its hours, rising
    drained_s   of each model: from the first request for its first hour to its last file, real
    """

    took_s: float
    total: int
    busiest_minute: int
    not_due: int
    twice: int
    requests: Mapping[str, int]
    hours: Mapping[str, int]
    sight_to_file_s: Mapping[str, Sequence[float]]
    drained_s: Mapping[str, float]

    def per_hour(self, model: str) -> float:
        """Requests for each published hour, looks in vain and second looks included."""
        return self.requests[model] / self.hours[model]


def stage(
    *, speed: float, per_min: int, models: Sequence[str] = tuple(ALL), hours: str = ""
) -> Stage:
    """The runs of ALL, or of some of its models with other hours."""
    return Stage(
        cycles={model: (ALL[model][0],) for model in models},
        hours={model: hours or ALL[model][1] for model in models},
        speed=speed,
        settings={"TWF_UPSTREAM__REQUESTS_PER_MIN": str(per_min)},
    )


async def manners(
    root: Path,
    test_data: Path,
    on: Stage,
    context: BaseContext,
    *,
    maps: Path | None = None,
    within_s: float = 600.0,
) -> Manners:
    """Rehearse until every run has ended, and judge."""
    async with rehearsing(root, test_data, on, context, maps=maps) as rehearsal:
        await rehearsal.ended(within_s=within_s)
    return judged(root, rehearsal)


def judged(root: Path, rehearsal: Rehearsal) -> Manners:
    """What the hit log and the cache of a rehearsal tell."""
    hits = rehearsal.hits
    by_model: dict[str, list[Hit]] = {}
    for hit in hits:
        by_model.setdefault(hour_of(hit)[0], []).append(hit)
    hours = {
        model: {hour for frames in _of(rehearsal, model) for hour in frames} for model in by_model
    }
    times = {
        model: sight_to_file(root / "cache/grib", model, mine) for model, mine in by_model.items()
    }
    return Manners(
        took_s=hits[-1].monotonic_s - hits[0].monotonic_s,
        total=len(hits),
        busiest_minute=busiest(hits),
        not_due=len(not_due(hits)),
        twice=len(downloaded_twice(hits)),
        requests={model: len(mine) for model, mine in by_model.items()},
        hours={model: len(found) for model, found in hours.items()},
        sight_to_file_s={
            model: sorted(done - seen for seen, done in each) for model, each in times.items()
        },
        drained_s={
            model: max(done for _, done in t) - min(seen for seen, _ in t)
            for model, t in times.items()
        },
    )


def hour_of(hit: Hit) -> tuple[str, str, int]:
    """Model, cycle and forecast hour that a request was for; ("", "", -1) for none."""
    found = _HOUR.search(file_of(hit))
    if found is None:
        return "", "", -1
    return found["model"], found["day"] + found["cc"], int(found["hour"])


def _of(rehearsal: Rehearsal, model: str) -> list[set[tuple[str, int]]]:
    return [
        {(cycle, hour) for (_, hour), shown in frames.items() if shown.state == "published"}
        for (key, cycle), frames in rehearsal.shown.items()
        if key == model
    ]


def sight_to_file(cache: Path, model: str, hits: Sequence[Hit]) -> list[tuple[float, float]]:
    """For each hour when its inventory was first there, and when its last file was recorded.

    A record is written when its file has been verified. Of AIGFS' two files the first one counts.
    """
    seen: dict[tuple[str, int], float] = {}
    for hit in hits:
        if hit.status == 200 and hit.path.endswith(".idx"):
            _, cycle, hour = hour_of(hit)
            at = datetime.fromisoformat(hit.time) + timedelta(seconds=hit.took_s)
            seen.setdefault((cycle, hour), at.timestamp())
    found = []
    for (cycle, hour), since in seen.items():
        records = list((cache / model / cycle).glob(f"f{hour:03d}.*.json"))
        if records:
            found.append((since, max(record.stat().st_mtime for record in records)))
    return found
