"""Forty runs one after the other, and some of the other models beside them: nothing grows.

The real daemon as a process of its own, on a clock of which a hundred hours are ten minutes: 100
runs of HRRR, 17 of GFS, 17 of AIGFS, small ones, with all that a run brings with it: retention,
cleaning, workers that are replaced after fifty jobs. During the first fifty what is remembered of
a bounded number of runs (64 at most) or of a day fills, and the allocator finds its size; then
what each process holds during runs 51 to 60 is held against runs 91 to 100. `make soak`;
TWF_SOAK_RUNS=180 takes eighty more, TWF_SOAK_SPEED=250 suits a busy machine.
"""

import asyncio
import json
import os
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import linear_regression, median

import pytest

from tests.acquisition.redated import RedatedTree
from tests.acquisition.rehearsal import PRODUCTS, REGIONS, REPOSITORY, Stage
from tests.soak.bench import Lead, megabytes
from twf_async.app.bench.service import Measured, measured_service
from twf_async.app.bench.tree import Role, Tree
from twf_async.clock import Clock
from twf_async.plan.runs import cycle_name, cycle_time
from twf_async.replica.release_tree import ReleaseTree
from twf_async.replica.running import running

RUNS = int(os.environ.get("TWF_SOAK_RUNS", "100"))
SPEED = float(os.environ.get("TWF_SOAK_SPEED", "600"))
FIRST = "2026012700"
WARM, WINDOW = 50, 10
KEPT = 4
# Resident memory, from the one median to the other, forty runs later. (PSS will not do: a share
# goes up when a process elsewhere on the machine ends that had the same libraries mapped.) The
# allocator is still within a megabyte of its size by then, and a table of the interpreter's that
# doubles is another at once; forty kilobytes kept of each run are more than both. What is less is
# for tests/acquisition/test_nothing_is_kept.py, which counts.
GROWTH_MB = {Role.SERVICE: 1.5, Role.FORKSERVER: 1.0, Role.WORKER: 4.0, Role.TRACKER: 0.5}
# Connections stay open for a while after a download, three of a model; or one more thread waits.
GROWTH_FDS, GROWTH_THREADS = 3, 1
GROWTH_STATE = 1.25  # arrivals of ten days are remembered: they are still few
GROWTH_DISK = 1.25


@dataclass(frozen=True)
class Disk:
    """What lies about after a run has ended. Megabytes, but for the temporary files."""

    temporary: int
    cache_mb: float
    state_mb: float
    published_mb: float


@dataclass(frozen=True)
class Window:
    """Some consecutive runs: medians of all looks at every process, the most of every folder."""

    rss_mb: dict[str, float]
    pss_mb: dict[str, float]
    fds: dict[str, float]
    threads: dict[str, float]
    temporary: int
    cache_mb: float
    state_mb: float
    published_mb: float


def cycles() -> dict[str, list[str]]:
    first, hours = cycle_time(FIRST), range(RUNS)
    return {
        "hrrr": [cycle_name(first + timedelta(hours=hour)) for hour in hours],
        "gfs": [cycle_name(first + timedelta(hours=hour)) for hour in hours if hour % 6 == 0],
        "aigfs": [cycle_name(first + timedelta(hours=hour)) for hour in hours if hour % 6 == 0],
    }


@pytest.mark.soak
@pytest.mark.timeout(3000)
async def test_over_forty_runs_no_memory_descriptor_thread_or_file_is_gained(tmp_path, test_data):
    runs = cycles()
    stage = Stage(
        runs,
        speed=SPEED,
        hours={"gfs": "0-12/3", "aigfs": "0-12/6", "hrrr": "0-6"},
        settings={
            "TWF_PUBLISH__KEEP_RUNS": str(KEPT),
            "TWF_WEB__PORT": "0",
            "TMPDIR": str(tmp_path / "tmp"),
        },
    )
    (tmp_path / "tmp").mkdir()
    lead, slots, ended = Lead(stage.begins), {}, []
    command = [sys.executable, "-m", "tests.soak.service", str(REPOSITORY / "config")]
    async with running(ReleaseTree(RedatedTree(test_data, runs), lead), clock=lead) as replica:
        environ = {"PYTHONPATH": str(REPOSITORY)} | _plain(os.environ)
        environ |= stage.environment(tmp_path, replica)
        with measured_service(command, environ, tmp_path / "log.jsonl", 2) as service:
            url = (await asyncio.to_thread(service.until, "app.started"))["url"]
            asked = time.time()
            now = await asyncio.to_thread(_status, url)
            lead.clock = Clock(datetime.fromisoformat(now["now"]), SPEED, asked)
            visitor = asyncio.create_task(_visited(url, slots))
            for cycle in runs["hrrr"]:
                run = {"model": "hrrr", "cycle": cycle}
                await asyncio.to_thread(service.until, "pipeline.run_ended", **run)
                ended.append((len(service.trees), await asyncio.to_thread(_disk, tmp_path)))
                if visitor.done():
                    visitor.result()
            visitor.cancel()

    early = _window(service, slots, ended, WARM + WINDOW)
    late = _window(service, slots, ended, RUNS)
    _tell(tmp_path, service, slots, ended, early, late)
    _nothing_missing(service, runs)
    assert late.rss_mb.keys() == early.rss_mb.keys()
    # Slots are alike, their workers are not: each holds 138 or 143 MB, by the models that it has
    # drawn. Larger than any was is a growth.
    heaviest = max(mb for name, mb in early.rss_mb.items() if name.startswith("slot"))
    for name, mb in late.rss_mb.items():
        role = Role.WORKER if name.startswith("slot") else Role(name)
        before = heaviest if role is Role.WORKER else early.rss_mb[name]
        assert mb - before < GROWTH_MB[role], name
        assert late.fds[name] - early.fds[name] <= GROWTH_FDS, name
        assert late.threads[name] - early.threads[name] <= GROWTH_THREADS, name
    assert late.temporary <= early.temporary
    assert late.cache_mb < GROWTH_DISK * early.cache_mb
    assert late.state_mb < GROWTH_STATE * early.state_mb
    assert late.published_mb < GROWTH_DISK * early.published_mb
    assert len(list((tmp_path / "publish" / "maps" / "hrrr").glob("2*"))) <= KEPT + 1


def _plain(environ) -> dict[str, str]:
    """Without Python's debug mode, which remembers where every task was made, and our own."""
    return {k: value for k, value in environ.items() if not k.startswith(("PYTHON", "TWF_"))}


def _status(url: str) -> dict:
    with urllib.request.urlopen(f"{url}api/v1/status") as answer:
        return json.load(answer)


async def _visited(url: str, slots: dict[int, str]) -> None:
    """Somebody looks at the newest maps all the while; learns whose slot every worker is."""
    while True:
        status = await asyncio.to_thread(_status, url)
        for slot in status["farm"]:
            slots[slot["pid"]] = f"slot {slot['slot']}"
        for model, known in status["models"].items():
            if known["shown"]:
                await asyncio.to_thread(_visit, url, model, known["shown"])
        await asyncio.sleep(1)


def _visit(url: str, model: str, cycle: str) -> None:
    """The viewer, a manifest, a map, and the lists of the routes of the system before."""
    product, region = PRODUCTS[model][0], REGIONS[model]
    places = (
        "",
        f"api/v1/runs/{model}/{cycle}",
        f"maps/{model}/latest/{region}/{product}/f006.png",
        f"api/runs?model={model}",
        f"api/maps?model={model}",
    )
    for place in places:
        try:
            with urllib.request.urlopen(f"{url}{place}") as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            if error.code not in {404, 410}:  # no f006 yet, or taken off this moment
                raise


def _disk(root: Path) -> Disk:
    unfinished = [
        *root.glob("tmp/*"),
        *root.glob("cache/**/*.part"),
        *root.glob("cache/**/*.tmp"),
        *root.glob("publish/.staging/*"),
    ]
    folders = (root / name for name in ("cache", "state", "publish"))
    return Disk(len(unfinished), *(megabytes(folder) for folder in folders))


def _named(tree: Tree, slots: dict[int, str]):
    """(name, process) of all whose name is known: a worker that has no slot yet is being made."""
    for process in tree.processes:
        name = slots.get(process.pid) if process.role is Role.WORKER else process.role.value
        if name is not None:
            yield name, process


def _window(service: Measured, slots, ended, last: int) -> Window:
    """The WINDOW runs that end with number *last*."""
    disks = [disk for _, disk in ended[last - WINDOW : last]]
    begin, end = ended[last - WINDOW - 1][0], ended[last - 1][0]
    looks: dict[str, list] = {}
    for _, tree in service.trees[begin:end]:
        for name, process in _named(tree, slots):
            looks.setdefault(name, []).append(process)
    return Window(
        {name: median(p.rss_mb for p in those) for name, those in looks.items()},
        {name: median(p.pss_mb for p in those) for name, those in looks.items()},
        {name: median(p.fds for p in those) for name, those in looks.items()},
        {name: median(p.threads for p in those) for name, those in looks.items()},
        *(max(getattr(disk, name) for disk in disks) for name in vars(disks[0])),
    )


def _nothing_missing(service: Measured, runs) -> None:
    """It has worked: growth of a service that does nothing would be no news."""
    by_run = {(line["model"], line["cycle"]): line for line in service.said("pipeline.run_ended")}
    assert set(by_run) >= {("hrrr", cycle) for cycle in runs["hrrr"]}
    assert {run: line["missing"] for run, line in by_run.items() if line["missing"]} == {}
    assert min(line["published"] for line in by_run.values()) > 0


def _tell(root: Path, service: Measured, slots, ended, early: Window, late: Window) -> None:
    """A table, on the terminal and in forty-runs.txt; every look in forty-runs.jsonl."""
    workers = {p.pid for _, tree in service.trees for p in tree.of(Role.WORKER)}
    frames = sum(line["published"] for line in service.said("pipeline.run_ended"))
    ended_runs, minutes = len(service.said("pipeline.run_ended")), service.trees[-1][0] / 60
    windows = f"runs {WARM + 1}-{WARM + WINDOW}", f"{RUNS - WINDOW + 1}-{RUNS}"
    lines = [
        f"{ended_runs} runs, {frames} frames, {len(workers)} workers in {minutes:.1f} minutes",
        f"{'':28}{windows[0]:>12}{windows[1]:>12}{'a run':>12}",
    ]
    for what in ("rss_mb", "pss_mb", "fds", "threads"):
        before, after = getattr(early, what), getattr(late, what)
        lines += [
            f"{f'{what} {name}':28}{before[name]:12.2f}{after.get(name, 0):12.2f}"
            f"{_slope(service, slots, ended, name, what):12.3f}"
            for name in before
        ]
    lines += [
        f"{name:28}{getattr(early, name):12.2f}{getattr(late, name):12.2f}"
        for name in ("temporary", "cache_mb", "state_mb", "published_mb")
    ]
    text = "\n".join(lines) + "\n"
    (root / "forty-runs.txt").write_text(text)
    with (root / "forty-runs.jsonl").open("w") as stream:
        for at_s, tree in service.trees:
            looked = {slots.get(p.pid, p.role.value): asdict(p) for p in tree.processes}
            stream.write(json.dumps({"at_s": at_s, **looked}) + "\n")
    sys.__stderr__.write(f"\n{text}")


def _slope(service: Measured, slots, ended, name: str, what: str) -> float:
    """Growth a run, least squares over the medians of all runs but the first WARM."""
    points = []
    for number in range(WARM, len(ended)):
        trees = service.trees[ended[number - 1][0] : ended[number][0]]
        found = [
            getattr(process, what)
            for _, tree in trees
            for called, process in _named(tree, slots)
            if called == name
        ]
        if found:
            points.append((number, median(found)))
    return linear_regression(*zip(*points, strict=True)).slope if len(points) > 1 else 0.0
