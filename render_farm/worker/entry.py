"""What the service calls in a worker. Light to import: the service pickles these by name.

A worker is a long-lived child of the forkserver. It dies with the service, ignores the signals
that are meant for it, gives memory back after every job, and answers every job with a value:
only a crash of the process itself leaves a job without an answer.
"""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import structlog

from render_farm.domain.contactsheet import ContactSheet
from render_farm.domain.jobs import HourFailed, HourRendered, Reason, RegionView, RenderJob
from render_farm.domain.places import Region
from render_farm.domain.scales import Display
from render_farm.logs import lines
from render_farm.worker import PRELOADED
from render_farm.worker.lifeline import die_with_parent
from render_farm.worker.memory import forget_peak, give_back, keep_within_a_job, limit_memory


def initialise(
    slot: int,
    log_level: str,
    console: bool,  # noqa: FBT001 - an initializer takes no keywords
    memory_limit_mb: float | None = None,
) -> None:
    """Prepare a fresh worker: signals, death with the parent, log lines, what memory it may have.

    memory_limit_mb  beyond it an allocation fails, and with it the job; None: no limit
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # SIGTERM must stay deadly: an executor ends its workers with it.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with_parent()
    with suppress(OSError):  # raising one's own score needs no privilege; not everywhere writable
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    keep_within_a_job()
    lines.configure(log_level, console=console)
    structlog.contextvars.bind_contextvars(slot=slot, pid=os.getpid())
    if memory_limit_mb is not None and not limit_memory(memory_limit_mb):
        structlog.get_logger(component="worker").warning("worker.limit_refused")


def render(job: RenderJob, attempt: int = 1) -> HourRendered | HourFailed:
    """Draw every frame of one forecast hour; what cannot be drawn is said with its reason.

    attempt  from the second on, frames that an earlier one finished are kept
    """
    from render_farm.render.caches import caches_of
    from render_farm.render.hour import render_hour

    lines.set_level(job.log_level)
    forget_peak()
    log = structlog.get_logger(component="worker")
    bound = {"model": job.model, "cycle": job.cycle, "hour": job.hour}
    if attempt > 1:
        bound["attempt"] = attempt
    with structlog.contextvars.bound_contextvars(**bound):
        try:
            outcome = render_hour(job, go_on=attempt > 1)
        except MemoryError:
            outcome = _failed(job, Reason.OUT_OF_MEMORY, "the worker ran out of memory")
        except Exception as error:  # the job loop: a bug costs this job only
            log.exception("worker.failed")
            outcome = _failed(job, Reason.RENDER_ERROR, f"{type(error).__name__}: {error}")
        caches_of(job.map_cache_dir).maps.release()
        give_back()
    return outcome


def _failed(job: RenderJob, reason: Reason, detail: str) -> HourFailed:
    return HourFailed(job.model, job.cycle, job.hour, reason, detail)


def salvage(job: RenderJob, reason: Reason, detail: str) -> HourRendered | HourFailed:
    """What earlier attempts finished of a job that is given up for *reason*."""
    from render_farm.render.salvage import salvaged

    return salvaged(job, reason, detail)


def region_views(regions: tuple[Region, ...]) -> tuple[RegionView, ...]:
    """The box that each region's frame really shows."""
    from render_farm.draw.viewbox import region_view

    return tuple(region_view(region) for region in regions)


def contact_sheet(sheet: ContactSheet) -> int:
    """Put pictures on one; returns the bytes of the file. OSError, ValueError."""
    from render_farm.render.contactsheet import write_sheet

    return write_sheet(sheet)


def bin_colours(displays: tuple[Display, ...]) -> tuple[tuple[str, ...], ...]:
    """Per display the colour of each of its bins, "#rrggbb", "" for transparent."""
    from render_farm.draw import colours

    return tuple(
        tuple(f"#{bytes(rgb).hex()}" if rgb else "" for rgb in colours.bin_colours(display))
        for display in displays
    )


def is_preloaded() -> bool:
    """Whether the forkserver's preload took place (it is skipped silently when it cannot)."""
    return PRELOADED in sys.modules
