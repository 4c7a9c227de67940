"""One run and then the end: what `twf-async run` does."""

from collections.abc import Callable

from twf_async.errors import BadInput
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.report import RunCount, RunReport, RunRequest
from twf_async.pipeline.run import RunPipeline

LATEST = "latest"


async def run_once(
    request: RunRequest,
    shop: Workshop,
    *,
    on_progress: Callable[[RunCount], None] | None = None,
) -> RunReport:
    """Work through one run; cycle "latest" is the newest that has data.

    raises   BadInput for what the model does not have, or when no run can be found;
             FetchError when the other side cannot be asked which run is newest
    """
    if request.cycle == LATEST:
        request = await _with_newest(request, shop)
    return await RunPipeline(request, shop, on_progress=on_progress).run()


async def _with_newest(request: RunRequest, shop: Workshop) -> RunRequest:
    models = shop.settings().catalog.models
    if request.model not in models:
        raise BadInput(f"there is no model {request.model!r}; there are {', '.join(models)}")
    cycle = await shop.fetcher.newest_cycle(models[request.model])
    if cycle is None:
        raise BadInput(f"no run of {request.model} is to be found; name one with --cycle")
    return RunRequest(
        request.model, cycle, request.hours, request.regions, request.products, request.wait
    )
