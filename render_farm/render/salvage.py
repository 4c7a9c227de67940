"""What can be published of a job that is given up: the frames that were finished before."""

import os

from render_farm.domain.jobs import FrameFailure, HourFailed, HourRendered, Reason, RenderJob
from render_farm.render.journal import kept
from render_farm.render.peak import peak_rss_mb


def salvaged(job: RenderJob, reason: Reason, detail: str) -> HourRendered | HourFailed:
    """The frames that attempts at *job* left whole, every other one failed for *reason*.

    HourFailed where there is not a single one.
    """
    frames = kept(job.staging_dir).frames
    if not frames:
        return HourFailed(job.model, job.cycle, job.hour, reason, detail)
    names = [(region, task.product.key) for task in job.tasks for region in task.regions]
    return HourRendered(
        model=job.model,
        cycle=job.cycle,
        hour=job.hour,
        frames=tuple(frames[name] for name in names if name in frames),
        failures=tuple(FrameFailure(*name, reason, detail) for name in names if name not in frames),
        decode_s=0.0,
        took_s=0.0,
        peak_rss_mb=peak_rss_mb(),
        pid=os.getpid(),
    )
