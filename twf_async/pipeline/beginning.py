"""The beginning of a run: what of it is there already, and what is owed, known and announced."""

import structlog

from twf_async.pipeline.parts import RunParts
from twf_async.plan.progress import FileState, RunProgress
from twf_async.publish.events import RUN_STARTED


async def begin(parts: RunParts) -> None:
    """Open a run, or go on with one that was interrupted."""
    request, shop, plan, course = parts.request, parts.shop, parts.plan, parts.course
    log = structlog.get_logger(component="pipeline").bind(model=request.model, cycle=request.cycle)
    regions = tuple(region.key for region in plan.regions)
    try:
        await shop.tree.open_run(
            request.model,
            request.cycle,
            hours=plan.hours,
            regions=regions,
            products=plan.products,
            notice=plan.notice,
            whole=request.is_whole,
        )
    except OSError as error:  # the tree writes the manifest once the disk takes it
        log.error("pipeline.publish_failed", reason=str(error))  # noqa: TRY400 - a full disk
    await shop.ledger.run_started(request.model, request.cycle)
    parts.frames.expect(plan.orders, regions)
    await parts.frames.announce_old()
    waiting = parts.frames.waiting(plan.orders)
    await parts.outlook.open()
    await parts.editions.open()
    files = {hour: FileState() for hour in parts.fetching.want(waiting)}
    course.progress = RunProgress(
        plan.policy,
        waiting,
        files,
        progressed_at=parts.outlook.progressed_at,
        requests=course.progress.requests,
    )
    await parts.redoing.resume()
    if course.progress.files:
        await parts.fetching.prepare()
        parts.outlook.look_ahead()
    shop.events.emit(RUN_STARTED, {"model": request.model, "cycle": request.cycle})
    count = parts.frames.count
    log.info(
        "pipeline.run_started",
        hours=len(plan.hours),
        files=len(files),
        frames=count.expected,
        published=count.published,
    )
