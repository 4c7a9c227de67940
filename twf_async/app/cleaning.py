"""Cleaning without a service: what `twf-async clean` does where none runs."""

import asyncio
from typing import Any

from twf_async.app.upkeep import make_housekeeping, unfinished
from twf_async.clock import Clock
from twf_async.ledger.ledger import Ledger
from twf_async.publish.tree import PublishedTree
from twf_async.settings.load import Settings


def clean_alone(settings: Settings, *, dry_run: bool) -> dict[str, Any]:
    """Delete what is kept for nothing, or tell what would go.

    raises  TreeInUse when another process works on the published tree
    """
    return asyncio.run(_clean(settings, dry_run=dry_run))


async def _clean(settings: Settings, *, dry_run: bool) -> dict[str, Any]:
    service = settings.service
    clock = Clock(service.clock.start, service.clock.speed)
    tree = PublishedTree(service.publish_dir, clock=clock)
    ledger = Ledger(service.state_dir / "ledger.sqlite", clock=clock)
    keeping = make_housekeeping(
        lambda: settings, tree, ledger, clock, active=lambda: unfinished(tree)
    )
    if dry_run:
        await tree.peek()
        return await keeping.clean(dry_run=True)
    left = await keeping.sweeper.leftovers()  # a start removes those of the tree
    await tree.start()
    try:
        await ledger.start()
        try:
            return await keeping.clean(dry_run=False, left=left)
        finally:
            await ledger.stop()
    finally:
        await tree.stop()
