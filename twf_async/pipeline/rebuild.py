"""Fills a new ledger from the published tree, after the old one was lost or set aside."""

from twf_async.ledger.entries import FrameEntry
from twf_async.ledger.ledger import Ledger
from twf_async.publish.manifest import FrameState, RunState
from twf_async.publish.tree import PublishedTree


async def refill(ledger: Ledger, tree: PublishedTree) -> int:
    """Note every run and every frame that is online; returns how many frames.

    Timings and attempts are lost; the next start of a run notes the rest anew.
    """
    count = 0
    for model in tree.models():
        for cycle in tree.runs(model):
            manifest = tree.manifest(model, cycle)
            if manifest is None:
                continue
            await ledger.run_started(model, cycle)
            entries = [
                FrameEntry(
                    model,
                    cycle,
                    int(name[1:]),
                    region,
                    product,
                    record.state.value,
                    bytes=record.bytes,
                    sha256=record.hash,
                    published_at=record.published_at,
                )
                for region, products in manifest.frames.items()
                for product, hours in products.items()
                for name, record in hours.items()
                if record.state is FrameState.PUBLISHED
            ]
            await ledger.record_frames(entries)
            if manifest.state is not RunState.RUNNING:
                await ledger.run_ended(model, cycle, manifest.state.value)
            count += len(entries)
    return count
