"""Draws shipments: jobs whose files come as bytes, in a process of somebody else's making.

Called by name in a worker of dask.distributed; light to import, for the service pickles by name.
Pictures go back as bytes, nothing of a job stays; pixel maps do, below TWF_CACHE_DIR.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import structlog

import render_farm
from render_farm.domain.jobs import (
    Frame,
    FrameFailure,
    HourFailed,
    HourRendered,
    MessageSource,
    ProductTask,
    RenderJob,
)
from render_farm.domain.shipment import Makeup, Returned, Shipment
from render_farm.domain.sparsefile import write_sparse
from render_farm.logs import lines
from render_farm.worker import entry
from render_farm.worker.memory import keep_within_a_job
from render_farm.worker.scratch import scratch

MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - directories in it are made by mkdtemp
SPARE = 4  # so many times a shipment must be free there


def makeup() -> Makeup:
    """What this process draws with; loads everything that drawing needs."""
    import render_farm.worker.preload  # noqa: F401 - as workers of the service's own have it
    from render_farm.render.provenance import libraries

    try:
        software = version("twf-async")
    except PackageNotFoundError:
        software = "not installed"
    return Makeup(os.getpid(), software, _code(), libraries())


def draw(shipment: Shipment) -> Returned:
    """Draw every frame of a shipment; what cannot be drawn is said with its reason."""
    _prepare()
    parent = _roomy(shipment)
    with (
        scratch(parent) as directory,
        structlog.contextvars.bound_contextvars(pid=os.getpid()),
    ):
        here, paths = _unpack(shipment, directory)
        outcome = entry.render(here)
        back = {local: path for path, local in paths.items()}
        staging = shipment.job.staging_dir
        if isinstance(outcome, HourFailed):
            return Returned(replace(outcome, detail=_told(outcome.detail, back)), {})
        return Returned(_with_paths_of(outcome, staging, back), _contents(outcome))


@cache
def _prepare() -> None:
    """Once a process: memory kept within a job, log lines as all workers write them."""
    keep_within_a_job()
    lines.configure()


@cache
def _code() -> str:
    root = Path(render_farm.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(path for kind in ("*.py", "*.toml") for path in root.rglob(kind)):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _map_cache() -> str:
    cache_dir = os.environ.get("TWF_CACHE_DIR") or Path.home() / ".cache" / "twf-async"
    return str(Path(cache_dir) / "pixelmaps")


def _roomy(shipment: Shipment) -> Path:
    """A directory in memory if the shipment is small beside it, else the usual one."""
    wanted = SPARE * sum(file.sent_bytes for file in shipment.files)
    try:
        room = os.statvfs(MEMORY_DISK)
    except OSError:
        return Path(tempfile.gettempdir())
    free = room.f_bavail * room.f_frsize
    usable = free > wanted and os.access(MEMORY_DISK, os.W_OK)
    return MEMORY_DISK if usable else Path(tempfile.gettempdir())


def _unpack(shipment: Shipment, directory: Path) -> tuple[RenderJob, dict[str, str]]:
    """The job as it can be drawn here, and where each of its files lies now."""
    paths: dict[str, str] = {}
    for number, file in enumerate(shipment.files):
        # A file keeps its name: the picture tells it.
        place = directory / str(number) / Path(file.path).name
        place.parent.mkdir()
        write_sparse(file, place)
        paths[file.path] = str(place)
    job = shipment.job
    here = replace(
        job,
        tasks=tuple(_moved(task, paths) for task in job.tasks),
        staging_dir=str(directory / "staging"),
        map_cache_dir=_map_cache(),
        increment_dir="",  # sums are kept under the names of files that are gone with the job
    )
    return here, paths


def _moved(task: ProductTask, paths: Mapping[str, str]) -> ProductTask:
    inputs = {
        role: tuple(_at(source, paths) for source in sources)
        for role, sources in task.inputs.items()
    }
    return replace(task, inputs=inputs)


def _at(source: MessageSource, paths: Mapping[str, str]) -> MessageSource:
    return MessageSource(paths.get(source.path, source.path), source.key)


def _with_paths_of(
    outcome: HourRendered, staging_dir: str, back: Mapping[str, str]
) -> HourRendered:
    staging = Path(staging_dir)

    def framed(frame: Frame) -> Frame:
        values = frame.values
        if values is not None:
            values = replace(values, path=str(staging / Path(values.path).name))
        return replace(frame, path=str(staging / Path(frame.path).name), values=values)

    def failed(failure: FrameFailure) -> FrameFailure:
        bad = tuple(_at(source, back) for source in failure.bad)
        return replace(failure, detail=_told(failure.detail, back), bad=bad)

    return replace(
        outcome,
        frames=tuple(map(framed, outcome.frames)),
        failures=tuple(map(failed, outcome.failures)),
    )


def _told(detail: str, back: Mapping[str, str]) -> str:
    for local, path in back.items():
        detail = detail.replace(local, path)
    return detail


def _contents(outcome: HourRendered) -> dict[str, bytes]:
    files = [Path(file.path) for frame in outcome.frames for file in (frame, frame.values) if file]
    return {file.name: file.read_bytes() for file in files}
