"""Pinning where no service runs: `twf-async pin` and `unpin` at the published tree itself."""

import asyncio

from twf_async.clock import Clock
from twf_async.publish.tree import PublishedTree
from twf_async.settings.service import ServiceSettings


def pin_alone(service: ServiceSettings, model: str, cycle: str, reason: str | None) -> None:
    """Keep a run whatever its age; with no *reason* let it go when its time comes.

    raises  TreeInUse when another process works on the tree; BadPin
    """
    asyncio.run(_pin(service, model, cycle, reason))


async def _pin(service: ServiceSettings, model: str, cycle: str, reason: str | None) -> None:
    clock = Clock(service.clock.start, service.clock.speed)
    tree = PublishedTree(service.publish_dir, clock=clock)
    await tree.start()
    try:
        if reason is None:
            await tree.unpin(model, cycle)
        else:
            await tree.pin(model, cycle, reason)
    finally:
        await tree.stop()
