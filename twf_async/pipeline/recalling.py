"""What somebody may have asked for where the ledger that knew it is lost: the manifests tell.

Whatever is still to come of a run that nobody follows then counts as asked for.
"""

from collections.abc import Collection

from twf_async.errors import BadInput
from twf_async.pipeline.asked import noted, owed
from twf_async.pipeline.opening import extent_of
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.report import RunRequest
from twf_async.pipeline.resuming import is_running, to_follow


def forgotten(model: str, shop: Workshop, but: Collection[str]) -> tuple[RunRequest, ...]:
    """What brings all that is still to come of a model's runs, *but* of these."""
    tree = shop.tree
    cycles = [c for c in tree.runs(model) if c not in but and is_running(tree, model, c)]
    requests = (_owed(model, cycle, shop) for cycle in cycles)
    return tuple(request for request in requests if request is not None)


async def note_forgotten(shop: Workshop) -> None:
    """Note it for the next start of the service, where a ledger was begun without one."""
    if not shop.ledger.begun_anew:
        return
    now = shop.clock.now()
    for model in shop.settings().catalog.enabled_models:
        known = {entry.cycle for entry in await shop.ledger.asked(model.key)}
        for request in forgotten(model.key, shop, {*known, *to_follow(model, shop.tree, now)}):
            await shop.ledger.record_asked(noted(request, now))


def _owed(model: str, cycle: str, shop: Workshop) -> RunRequest | None:
    try:
        has = extent_of(shop.settings(), RunRequest(model, cycle))
    except BadInput:  # of a cycle that the model has no more
        return None
    return owed(model, cycle, shop.tree.unsettled(model, cycle), has)
