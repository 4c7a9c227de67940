"""Keeps the newest runs of each model online, and those that are pinned; takes the others off."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet

import structlog

from render_farm.domain.models import Model
from twf_async.ledger.ledger import Ledger
from twf_async.publish.tree import PublishedTree
from twf_async.settings.service import PublishSettings

NEXT = "9999123123"  # a cycle that is newer than all


def runs_to_delete(
    cycles: Iterable[str],
    *,
    keep: int,
    shown: str | None,
    active: AbstractSet[str],
    pinned: AbstractSet[str] = frozenset(),
) -> tuple[str, ...]:
    """Which runs of a model go, oldest first. Pure.

    cycles   all runs, in any order, a coming one included
    shown    the newest that has frames: it stays whatever its age, or the site would be empty
    active   runs being worked on: they stay
    pinned   runs that somebody wants kept: they stay, and do not count as any of the *keep*
    """
    newest_first = sorted(set(cycles) - pinned, reverse=True)
    spared = {*newest_first[:keep], *active, shown}
    return tuple(cycle for cycle in reversed(newest_first) if cycle not in spared)


def runs_kept(model: str, models: Mapping[str, Model], settings: PublishSettings) -> int:
    """How many runs of a model stay: its own `keep_runs`, else everybody's."""
    known = models.get(model)
    own = known.keep_runs if known is not None else None
    return settings.keep_runs if own is None else own


class Retention:
    """Deletes runs beyond the number to keep; call it before a run is opened, to make room."""

    def __init__(
        self,
        tree: PublishedTree,
        ledger: Ledger,
        *,
        keep_runs: Callable[[str], int],
        active: Callable[[], AbstractSet[tuple[str, str]]],
    ) -> None:
        """*keep_runs*: of a model, how many."""
        self._tree, self._ledger = tree, ledger
        self._keep_runs, self._active = keep_runs, active
        self._deleting = asyncio.Lock()
        self._log = structlog.get_logger(component="retention")

    async def make_room(self, model: str, cycle: str) -> None:
        """Delete what is too old once *cycle* is there as well."""
        await self._evict(model, coming={cycle})

    async def sweep(self, *, early: bool = False) -> int:
        """Delete what is too old of every model that has runs; returns how many bytes.

        early   also what will be as soon as a model's next run comes
        """
        coming = {NEXT} if early else set[str]()
        return sum([await self._evict(model, coming=coming) for model in self._tree.models()])

    def due(self, model: str, *, coming: AbstractSet[str] = frozenset()) -> tuple[str, ...]:
        """What would be deleted of a model, oldest first."""
        active = {at for of, at in self._active() if of == model} | coming
        return runs_to_delete(
            {*self._tree.runs(model), *coming},
            keep=self._keep_runs(model),
            shown=self._tree.newest(model),
            active=active,
            pinned=self._tree.pinned(model),
        )

    async def _evict(self, model: str, *, coming: AbstractSet[str] = frozenset()) -> int:
        freed, tried = 0, set[str]()
        async with self._deleting:  # two callers would count the same run twice
            # Asked anew for each: one may have been pinned while another was being removed.
            while old := next((c for c in self.due(model, coming=coming) if c not in tried), None):
                tried.add(old)
                try:
                    size = await self._tree.evict_run(model, old)
                except OSError as error:  # the next run must come, whatever is left of this one
                    self._log.warning(
                        "retention.run_not_deleted", model=model, cycle=old, reason=str(error)
                    )
                    continue
                if size is None:
                    continue
                await self._ledger.forget_run(model, old)
                self._log.info("retention.run_deleted", model=model, cycle=old, bytes=size)
                freed += size
        return freed
