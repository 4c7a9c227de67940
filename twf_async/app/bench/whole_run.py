"""Measures one whole run: the GRIB in the cache, everything else as it comes, the real service."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from statistics import median

from render_farm.worker.scratch import scratch
from twf_async.app.bench.download import Downloaded, download
from twf_async.app.bench.service import Measured, measured_service, serve
from twf_async.app.bench.stage import Stage
from twf_async.app.bench.tree import Role, Tree
from twf_async.app.bench.waiting import Waiting, share_pct
from twf_async.app.loopback import loopback_nomads
from twf_async.errors import TwfError
from twf_async.settings.load import Settings, load

TOLD = ("info", "debug")  # levels of what need not be told


@dataclass(frozen=True, slots=True)
class Held:
    """Memory of the processes of one kind, when all together held most. MB of PSS."""

    role: Role
    processes: int
    pss_mb: float
    anon_mb: float
    most_mb: float  # that one of them ever held at any look


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What a whole run took.

    hours      drawn; from_cache of them without asking for GRIB
    ready_s    from the start of the process until the service was ready
    wall_s     of the run, from the service's finding it to its end
    others_s   processor time of everything else on the machine meanwhile
    held       by kind, at the look with the highest sum; median_mb of all looks of the run
    iowait_pct, some_pct, full_pct  of the machine, during the run; None: not told
    told       warnings and errors of its log, and how often
    """

    model: str
    cycle: str
    regions: tuple[str, ...]
    products: int
    workers: int
    cores: int
    whole: bool
    hours: int
    from_cache: int
    grib_mb: float
    frames: int
    published: int
    missing: int
    png_bytes: tuple[int, ...]
    grid_bytes: int
    ready_s: float
    wall_s: float
    service_s: float
    forkserver_s: float
    workers_s: float
    others_s: float
    held: tuple[Held, ...]
    peak_mb: float
    median_mb: float
    worker_rss_mb: float
    read_mb: float
    written_mb: float
    iowait_pct: float | None
    some_pct: float | None
    full_pct: float | None
    told: tuple[tuple[str, int], ...]


def measure_run(
    config: Path, stage: Stage, context: BaseContext, keep: Path, say: Callable[[str], None]
) -> RunFigures:
    """Fetch what is not in *keep* yet, then measure the run from there.

    keep    directory for the GRIB of runs; what is there is used again
    say     told what is being done
    raises  TwfError where the run cannot be brought to its end
    """
    keep.mkdir(parents=True, exist_ok=True)
    prepared = keep / stage.name
    replica = ("--demo", "--start", stage.begins, "--cache-dir", str(keep / "replica"))
    base = dict(os.environ)
    with scratch(keep, ".run-") as root:
        with loopback_nomads(*replica, "--log-level", "warning") as upstream:
            settings = load(config, stage.environment(base, root, upstream, prepared))
            say(f"{stage.request.model} {stage.request.cycle}: the GRIB of the run")
            here = download(settings, stage.request, context, say)
        say(f"{here.hours} hours, {here.megabytes:.0f} MB; now the run")
        _link(prepared / "grib", root / "cache" / "grib")
        with loopback_nomads(*replica, "--log-level", "warning") as upstream:
            environ = stage.environment(base, root, upstream, root / "cache")
            return _measured(config, settings, stage, environ, root, here)


def _link(grib: Path, target: Path) -> None:
    """A cache with these files: the service may delete its names, the files stay for next time."""
    shutil.copytree(grib, target, copy_function=os.link)


def _measured(
    config: Path,
    settings: Settings,
    stage: Stage,
    environ: dict[str, str],
    root: Path,
    here: Downloaded,
) -> RunFigures:
    request, cores = stage.request, min(stage.workers, len(os.sched_getaffinity(0)))
    run = {"model": request.model, "cycle": request.cycle}
    with measured_service(serve(config), environ, root / "log.jsonl", cores) as service:
        service.until("app.started")
        ready_s, before, first = service.trees[-1][0], Waiting.now(), service.trees[-1][1]
        service.until("pipeline.run_started", **run)
        ended = service.until("pipeline.run_ended", **run)
        after, last = Waiting.now(), service.trees[-1][1]
    passed_s, machine_s = after.at_s - before.at_s, after.cpu_s - before.cpu_s
    trees = [tree for at, tree in service.trees if at >= ready_s]
    peak = max(trees, key=lambda tree: tree.pss_mb)
    pictures, grids = _sizes(root / "publish" / "maps")
    model = settings.catalog.models[request.model]
    fetched = service.said("fetch.finished")
    ours_s = _cpu_s(last) - _cpu_s(first)
    return RunFigures(
        request.model,
        request.cycle,
        regions=tuple(model.regions),
        products=len(model.products),
        workers=stage.workers,
        cores=cores,
        whole=request.hours is None and request.products is None,
        hours=len(service.said("pipeline.hour_published")),
        from_cache=sum(line["method"] == "CACHED" for line in fetched),
        grib_mb=here.megabytes,
        frames=ended["frames"],
        published=ended["published"],
        missing=ended["missing"],
        png_bytes=tuple(pictures),
        grid_bytes=sum(grids),
        ready_s=ready_s,
        wall_s=ended["took_s"],
        service_s=last.cpu_s(Role.SERVICE),
        forkserver_s=last.cpu_s(Role.FORKSERVER),
        workers_s=last.workers_cpu_s,
        others_s=after.busy_s - before.busy_s - ours_s,
        held=tuple(_held(peak, trees)),
        peak_mb=peak.pss_mb,
        median_mb=median(tree.pss_mb for tree in trees),
        worker_rss_mb=max(w.hwm_mb for tree in trees for w in tree.of(Role.WORKER)),
        read_mb=sum(process.disk_read_mb for process in last.processes),
        written_mb=sum(process.disk_written_mb for process in last.processes),
        iowait_pct=share_pct(after.iowait_s, before.iowait_s, machine_s),
        some_pct=share_pct(after.some_s, before.some_s, passed_s),
        full_pct=share_pct(after.full_s, before.full_s, passed_s),
        told=_told(service),
    )


def _cpu_s(tree: Tree) -> float:
    own = sum(process.cpu_s for process in tree.processes)
    return own + sum(server.children_cpu_s for server in tree.of(Role.FORKSERVER))


def _held(peak: Tree, trees: list[Tree]) -> Iterator[Held]:
    for role in Role:
        there = peak.of(role)
        if there:
            most = max(process.pss_mb for tree in trees for process in tree.of(role))
            pss = sum(process.pss_mb for process in there)
            anon = sum(process.anon_mb for process in there)
            yield Held(role, len(there), pss, anon, most)


def _sizes(maps: Path) -> tuple[list[int], list[int]]:
    """Bytes of every picture and of every value grid."""
    pictures = [path.stat().st_size for path in maps.rglob("f*.png")]
    if not pictures:
        raise TwfError("the run has published nothing")
    return pictures, [path.stat().st_size for path in maps.rglob("f*.vgrid")]


def _told(service: Measured) -> tuple[tuple[str, int], ...]:
    names = Counter(line["event"] for line in service.lines if line["level"] not in TOLD)
    names.update(line["event"] for line in service.said("farm.worker_outgrown"))
    return tuple(sorted(names.items()))
