"""What works on one run together: every part, put together from the configuration of now."""

from dataclasses import dataclass
from datetime import datetime

from twf_async.pipeline.course import Course
from twf_async.pipeline.drawing import HourDrawing
from twf_async.pipeline.editions import Editions
from twf_async.pipeline.fetching import HourFetching
from twf_async.pipeline.frames import RunFrames
from twf_async.pipeline.freshness import RunFreshness
from twf_async.pipeline.mistrust import Mistrust
from twf_async.pipeline.opening import RunPlan, plan_run
from twf_async.pipeline.outlook import Outlook
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.report import RunRequest
from twf_async.pipeline.rerun import Redoing
from twf_async.pipeline.setbacks import Setbacks
from twf_async.pipeline.tasks import RunTasks
from twf_async.plan.progress import RunProgress

FETCHES_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class RunParts:
    """One run's parts; the parts themselves change as it goes on."""

    request: RunRequest
    shop: Workshop
    plan: RunPlan
    course: Course
    tasks: RunTasks
    frames: RunFrames
    drawing: HourDrawing
    outlook: Outlook
    editions: Editions
    setbacks: Setbacks
    fetching: HourFetching
    mistrust: Mistrust
    redoing: Redoing


def put_together(
    request: RunRequest, shop: Workshop, *, looks: int = 0, watched_since: datetime | None = None
) -> RunParts:
    """The parts of a run; BadInput for a request that cannot be.

    looks          requests that finding the run has cost; its hours are to make them good
    watched_since  its hours have been looked out for since then; None: nobody waits for them
    """
    model, cycle, settings = request.model, request.cycle, shop.settings()
    plan = plan_run(settings, request, fetches_at_once=FETCHES_AT_ONCE)
    course = Course(RunProgress(plan.policy, {}, {}, requests=looks))
    frames = frames_of(plan, cycle, shop, watched_since=watched_since)
    drawing = HourDrawing(cycle, plan, settings, shop, frames)
    outlook = Outlook(
        plan.model,
        cycle,
        course,
        frames,
        ledger=shop.ledger,
        clock=shop.clock,
        chance=shop.chance,
    )
    editions = Editions(plan.model, cycle, shop.ledger, shop.fetcher)
    setbacks = Setbacks(plan.model, cycle, course, shop, frames, outlook)
    fetching = HourFetching(
        cycle,
        plan,
        course,
        shop,
        frames,
        outlook=outlook,
        editions=editions,
        setbacks=setbacks,
        views=drawing.views,
    )
    redoing = Redoing(
        cycle, plan, course, shop, frames, fetching=fetching, outlook=outlook, editions=editions
    )
    return RunParts(
        request,
        shop,
        plan,
        course,
        RunTasks(f"{model}.{cycle}"),
        frames,
        drawing,
        outlook,
        editions,
        setbacks,
        fetching,
        Mistrust(cycle, plan, course, shop, fetching, frames),
        redoing,
    )


def frames_of(
    plan: RunPlan, cycle: str, shop: Workshop, *, watched_since: datetime | None = None
) -> RunFrames:
    """The books of a run's frames, empty. watched_since: see `put_together`."""
    model = plan.model.key
    return RunFrames(
        model,
        cycle,
        tree=shop.tree,
        ledger=shop.ledger,
        events=shop.events,
        clock=shop.clock,
        freshness=RunFreshness(model, cycle, shop.clock, since=watched_since, fresh=shop.fresh),
        styles=plan.styles,
    )
