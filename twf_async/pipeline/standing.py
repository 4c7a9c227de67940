"""How far a run is, for status pages."""

from twf_async.pipeline.run import RunPipeline
from twf_async.plan.progress import FileStatus
from twf_async.publish.manifest import hour_name


def standing(run: RunPipeline) -> dict[str, object]:
    """Frames by what became of them, and the hours whose files are not here.

    frames    expected of the run: published, failed, and those still to come
    pending   hours that will be fetched, etas: when they are expected, where that is known
    given_up  hours that will not come
    """
    count, files = run.count, sorted(run.progress.files.items())
    coming = (FileStatus.PENDING, FileStatus.FETCHING)
    return {
        "frames": count.expected,
        "published": count.published,
        "failed": count.failed,
        "superseded": run.superseded,
        "pending": [hour for hour, state in files if state.status in coming],
        "given_up": [hour for hour, state in files if state.gone],
        "etas": {hour_name(hour): eta for hour, eta in run.etas.items()},
    }
