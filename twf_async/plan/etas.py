"""When hours that are still to come will probably be there. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from twf_async.plan.progress import FileStatus, RunProgress

Moment = datetime  # aware, UTC

LITTLE = timedelta(seconds=30)
LITTLE_SHARE = 0.1  # of the time that is left


def etas(run: RunProgress, now: datetime) -> dict[int, datetime]:
    """Hour -> when it is expected, rising; without those that nothing is known of.

    What is late makes everything after it late as well, unless a later hour has overtaken it.
    """
    frontier = run.frontier
    found: dict[int, datetime] = {}
    late = timedelta(0)
    for hour in sorted(run.windows):
        state, window = run.files.get(hour), run.windows[hour]
        if state is None or state.status is not FileStatus.PENDING:
            continue
        likely = window.likely + late
        eta = max(likely, state.not_before or now, now) if state.absences else max(likely, now)
        if hour > frontier:
            late += eta - likely
        found[hour] = eta.replace(microsecond=0)
    return found


def worth_telling(
    told: Mapping[int, datetime], fresh: Mapping[int, datetime], now: datetime
) -> dict[int, datetime]:
    """The expectations that differ from what was told by more than a little."""
    return {
        hour: eta
        for hour, eta in fresh.items()
        if hour not in told or abs(eta - told[hour]) > max(LITTLE, LITTLE_SHARE * (eta - now))
    }
