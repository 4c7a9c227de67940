"""Keeps the newest runs of each model online and takes the others off."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet

import structlog

from twf_async.ledger.ledger import Ledger
from twf_async.publish.tree import PublishedTree


def runs_to_delete(
    cycles: Iterable[str], *, keep: int, shown: str | None, active: AbstractSet[str]
) -> tuple[str, ...]:
    """Which runs of a model go, oldest first. Pure.

    cycles   all runs, in any order, a coming one included
    shown    the newest that has frames: it stays whatever its age, or the site would be empty
    active   runs being worked on: they stay
    """
    newest_first = sorted(set(cycles), reverse=True)
    spared = {*newest_first[:keep], *active, shown}
    return tuple(cycle for cycle in reversed(newest_first) if cycle not in spared)


class Retention:
    """Deletes runs beyond `publish.keep_runs`; call it before a run is opened, to make room."""

    def __init__(
        self,
        tree: PublishedTree,
        ledger: Ledger,
        *,
        keep_runs: Callable[[], int],
        active: Callable[[], AbstractSet[tuple[str, str]]],
    ) -> None:
        self._tree, self._ledger = tree, ledger
        self._keep_runs, self._active = keep_runs, active
        self._log = structlog.get_logger(component="retention")

    async def make_room(self, model: str, cycle: str) -> None:
        """Delete what is too old once *cycle* is there as well."""
        active = {at for of, at in self._active() if of == model} | {cycle}
        known = self._tree.runs(model)
        going = runs_to_delete(
            {*known, cycle},
            keep=self._keep_runs(),
            shown=self._tree.newest(model),
            active=active,
        )
        for old in going:
            await self._tree.delete_run(model, old)
            await self._ledger.forget_run(model, old)
            self._log.info("retention.run_deleted", model=model, cycle=old)
