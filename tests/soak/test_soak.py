"""Two days of three models against a NOMADS on its bad days: all is published, nothing grows.

8 runs of GFS (85 hours), 8 of AIGFS (65) and 48 of HRRR (19 and 49), the real daemon as a process
of its own, on a clock of which two days are twenty-some minutes. One product an hour: what is held
to the light is the service, not the drawing. `make soak`; SOAK_SHARE=0.25 takes a quarter
of the runs.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest

from tests.acquisition.redated import RedatedTree
from tests.acquisition.rehearsal import REPOSITORY, Stage
from tests.soak.bench import Lead, megabytes
from twf_async.clock import Clock
from twf_async.plan.runs import cycle_name, cycle_time
from twf_async.replica.faults.kinds import Kind
from twf_async.replica.faults.mixes import mixed
from twf_async.replica.hits import HitLog
from twf_async.replica.release_tree import ReleaseTree
from twf_async.replica.running import running

SPEED = float(os.environ.get("SOAK_SPEED", "140"))
SHARE_OF_RUNS = float(os.environ.get("SOAK_SHARE", "1"))
FAULTY = 0.05
SEED = 2026
FIRST = "2026012700"
RUNS = {"gfs": (8, 6), "aigfs": (8, 6), "hrrr": (48, 1)}  # how many, hours apart
PRODUCTS = dict.fromkeys(RUNS, ("t2m",))
SAMPLE_S = 5.0
GROWTH_MB = 25.0  # of the service's own memory, from the first quarter to the end
GROWTH = {"fds": 8, "threads": 4}
# Of each model 8 jobs that were handed to the farm, and the parts of what is being downloaded.
FILES = 3 * (8 + 6)
CACHE_MB = 60.0


@dataclass(frozen=True)
class Sample:
    """The service at a moment. pss_mb, fds and threads are of its main process."""

    at_s: float
    pss_mb: float
    family_mb: float
    fds: int
    threads: int
    files: int  # .part and staged ones
    cache_mb: float


def cycles() -> dict[str, list[str]]:
    begin = cycle_time(FIRST)
    return {
        model: [
            cycle_name(begin + timedelta(hours=step * number))
            for number in range(max(1, round(count * SHARE_OF_RUNS)))
        ]
        for model, (count, step) in RUNS.items()
    }


class Service:
    """The daemon's process, and what it says."""

    def __init__(self, environ: dict[str, str], root: Path) -> None:
        self.log_path, self.root = root / "log.jsonl", root
        # Nor what is meant for tests: the service refuses settings that it does not know.
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "TWF_"))}
        with self.log_path.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.soak.service", REPOSITORY / "config"],
                cwd=REPOSITORY,
                env=plain | environ,
                stderr=stderr,
            )

    def lines(self) -> list[dict]:
        text = self.log_path.read_text().splitlines()
        return [json.loads(line) for line in text if line.startswith("{")]

    def events(self, name: str) -> list[dict]:
        return [line for line in self.lines() if line["event"] == name]

    def now(self, url: str) -> datetime:
        with urllib.request.urlopen(f"{url.rstrip('/')}/api/v1/status") as answer:
            return datetime.fromisoformat(json.load(answer)["now"])

    def temporary(self) -> list[Path]:
        """What is on its way to the disk, or was left there half made."""
        return [
            *self.root.glob("cache/grib/*/*/*.part"),
            *self.root.glob("cache/grib/*/*/*.tmp"),
            *self.root.glob("publish/.staging/*"),
        ]

    def sample(self, began: float) -> Sample:
        main = psutil.Process(self.process.pid)
        family = [main, *main.children(recursive=True)]
        memory = []
        for one in family:
            try:
                memory.append(one.memory_full_info().pss / 1e6)
            except psutil.NoSuchProcess:
                continue
        return Sample(
            time.monotonic() - began,
            memory[0],
            sum(memory),
            main.num_fds(),
            main.num_threads(),
            len(self.temporary()),
            megabytes(self.root / "cache" / "grib"),
        )


@pytest.mark.soak
@pytest.mark.timeout(3000)
async def test_two_days_of_three_models_under_faults(tmp_path, test_data, capsys):
    runs = cycles()
    stage = Stage(
        runs,
        products=PRODUCTS,
        speed=SPEED,
        hours={"gfs": "0-120/3,126-384/6", "aigfs": "0-384/6", "hrrr": "0-18"},
        settings={
            "TWF_MODELS__HRRR__LONG_HOURS": "0-48",
            "TWF_CACHE__MAX_GB": str(CACHE_MB / 1000),
            "TWF_PUBLISH__KEEP_RUNS": "4",
            "TWF_WEB__PORT": "0",
        },
    )
    lead = Lead(stage.begins)
    hits = HitLog(lead, tmp_path / "hits.jsonl", keep=1000)
    tree = RedatedTree(test_data, runs)
    async with running(ReleaseTree(tree, lead), clock=lead, log=hits) as replica:
        service = Service(stage.environment(tmp_path, replica), tmp_path)
        try:
            url = (await _until(lambda: service.events("app.started"), 60))[0]["url"]
            asked = time.time()
            lead.clock = Clock(await asyncio.to_thread(service.now, url), SPEED, asked)
            replica.director.play(mixed(FAULTY, SEED, wait_s=1.0, without={Kind.FLIP}))
            samples = await _followed(service, runs)
        finally:
            service.process.terminate()
            code = await asyncio.to_thread(service.process.wait, 30)

    ended = {(e["model"], e["cycle"]): e for e in service.events("pipeline.run_ended")}
    quarters = _quarters(samples)
    first, end = quarters[0], quarters[-1]
    with capsys.disabled():
        sys.stdout.write(f"\n{_table(tmp_path, runs, ended, quarters)}")
    assert code == 0
    assert set(ended) >= {(model, cycle) for model, those in runs.items() for cycle in those}
    assert {run: e["missing"] for run, e in ended.items() if e["missing"]} == {}
    assert end.pss_mb - first.pss_mb < GROWTH_MB
    assert end.fds - first.fds <= GROWTH["fds"]
    assert end.threads - first.threads <= GROWTH["threads"]
    assert max(sample.files for sample in samples) <= FILES
    assert service.temporary() == []
    assert max(sample.cache_mb for sample in samples) < 2 * CACHE_MB


async def _until(condition, within_s: float):
    async with asyncio.timeout(within_s):
        while not (found := condition()):
            await asyncio.sleep(0.1)
    return found


async def _followed(service: Service, runs: dict[str, list[str]]) -> list[Sample]:
    """Sample the service until every run has ended."""
    wanted = {(model, cycle) for model, those in runs.items() for cycle in those}
    began, samples = time.monotonic(), []
    hours = max(
        (cycle_time(those[-1]) - cycle_time(FIRST)).total_seconds() for those in runs.values()
    )
    longest_s = 2.0 * (hours + 8 * 3600) / SPEED + 300
    while time.monotonic() - began < longest_s:
        if service.process.poll() is not None:
            pytest.fail(f"the service ended: {service.lines()[-3:]}")
        samples.append(await asyncio.to_thread(service.sample, began))
        ended = await asyncio.to_thread(service.events, "pipeline.run_ended")
        if wanted <= {(e["model"], e["cycle"]) for e in ended}:
            return samples
        await asyncio.sleep(SAMPLE_S)
    pytest.fail(f"after {longest_s:.0f} s not all runs have ended")


def _quarters(samples: list[Sample]) -> list[Sample]:
    """The highest figures of each quarter; of the first without its beginning."""
    size = len(samples) // 4
    parts = [samples[size // 2 : size], *(samples[k * size : (k + 1) * size] for k in (1, 2, 3))]
    return [_highest(part) for part in parts]


def _highest(samples: list[Sample]) -> Sample:
    columns = zip(*(vars(sample).values() for sample in samples), strict=True)
    return Sample(*(max(column) for column in columns))


def _table(root, runs, ended, quarters) -> str:
    """What came of it."""
    hits = [json.loads(line) for line in (root / "hits.jsonl").read_text().splitlines()]
    spoiled = Counter(name for hit in hits for name in hit["fault"].split("; ") if name)
    lines = [f"{'model':8}{'runs':>6}{'ended':>7}{'frames':>8}{'published':>11}{'missing':>9}"]
    for model, those in runs.items():
        found = [ended[model, cycle] for cycle in those if (model, cycle) in ended]
        sums = [sum(e[key] for e in found) for key in ("frames", "published", "missing")]
        lines.append(f"{model:8}{len(those):6}{len(found):7}{sums[0]:8}{sums[1]:11}{sums[2]:9}")
    lines.append(
        f"{len(hits)} requests, {sum(spoiled.values())} of them spoiled in {len(spoiled)} ways,"
        f" {quarters[-1].at_s / 60:.1f} minutes at {SPEED:g} times the speed"
    )
    lines.append(f"{'quarter':16}" + "".join(f"{number:10}" for number in (1, 2, 3, 4)))
    lines += [
        f"{name:16}" + "".join(f"{getattr(quarter, name):10.1f}" for quarter in quarters)
        for name in ("pss_mb", "family_mb", "fds", "threads", "files", "cache_mb")
    ]
    return "\n".join(lines) + "\n"
