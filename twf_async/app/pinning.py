"""Pins of runs: for which models, and `twf-async pin` and `unpin` where no service runs."""

import asyncio

from twf_async.clock import Clock
from twf_async.errors import BadInput
from twf_async.publish.tree import PublishedTree
from twf_async.settings.catalog import Catalog
from twf_async.settings.load import Settings
from twf_async.settings.references import unknown


def require_model(model: str, catalog: Catalog, tree: PublishedTree) -> None:
    """BadInput for a model that the configuration has not, and of which nothing is online."""
    known = {*catalog.models, *tree.models()}
    if model not in known:
        raise BadInput(unknown("model ", model, known))


def pin_alone(settings: Settings, model: str, cycle: str, reason: str | None) -> None:
    """Keep a run whatever its age; with no *reason* let it go when its time comes.

    raises  TreeInUse when another process works on the tree; BadPin; BadInput for no model
    """
    asyncio.run(_pin(settings, model, cycle, reason))


async def _pin(settings: Settings, model: str, cycle: str, reason: str | None) -> None:
    service = settings.service
    clock = Clock(service.clock.start, service.clock.speed)
    tree = PublishedTree(service.publish_dir, clock=clock)
    await tree.start()
    try:
        require_model(model, settings.catalog, tree)
        if reason is None:
            await tree.unpin(model, cycle)
        else:
            await tree.pin(model, cycle, reason)
    finally:
        await tree.stop()
