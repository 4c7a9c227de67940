"""When one worker after the other is lost: which of it is the jobs' fault, and when it ends."""

from collections import defaultdict

import pytest

from render_farm.domain.jobs import HourFailed, HourRendered, Reason, RenderJob
from render_farm.domain.style import Style
from twf_async.farm.errors import FarmBroken
from twf_async.farm.losses import OUTSIDE_KILLS, STRIKES, Cause, Loss
from twf_async.farm.trials import LOST_IN_A_ROW, Trials

KILLED = Loss(Cause.KILLED, "killed from outside")
CRASHED = Loss(Cause.CRASHED, "crashed")
RAISED = Loss(Cause.RAISED, "ValueError: no")


class Workers:
    """Workers and what befalls them, by hour; of any other hour everything is drawn."""

    def __init__(self, fates):
        self.fates = fates
        self.attempts = defaultdict(int)

    async def attempt(self, job, before, begun):
        self.attempts[job.hour] += 1
        lost = self.fates.get(job.hour)
        return lost or HourRendered(job.model, job.cycle, job.hour, (), (), 0.0, 0.0, 90.0, 1)

    async def salvage(self, job, reason, detail):
        return HourFailed(job.model, job.cycle, job.hour, reason, detail)


def job(hour):
    return RenderJob("gfs", "GFS", "2026012912", hour, (), (), (), Style(), "staging", "maps")


async def outcomes(workers, hours):
    trials = Trials(workers)
    return [await trials.render(job(hour)) for hour in hours]


@pytest.mark.parametrize(("loss", "each"), [(KILLED, OUTSIDE_KILLS), (CRASHED, STRIKES)])
async def test_jobs_that_lose_all_their_workers_one_after_the_other_end_the_farm(loss, each):
    workers = Workers(dict.fromkeys(range(LOST_IN_A_ROW), loss))

    found = await outcomes(workers, range(LOST_IN_A_ROW - 1))

    assert {outcome.reason for outcome in found} == {Reason.WORKER_DIED}
    assert set(workers.attempts.values()) == {each}
    with pytest.raises(FarmBroken):
        await outcomes(workers, range(LOST_IN_A_ROW))


@pytest.mark.parametrize("between", [None, RAISED], ids=["one is drawn", "one raises"])
async def test_a_worker_that_lives_shows_that_the_jobs_are_at_fault(between):
    """For a job that raises is answered by a process that is well."""
    middle = LOST_IN_A_ROW - 1
    fates = dict.fromkeys(range(2 * middle + 1), KILLED) | {middle: between}

    found = await outcomes(Workers(fates), range(2 * middle + 1))

    assert len(found) == 2 * middle + 1
