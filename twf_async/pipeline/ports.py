"""What the pipeline asks of its neighbours, and the set of neighbours a run works with."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from render_farm.domain.fields import MessageKey
from render_farm.domain.jobs import HourFailed, HourRendered, RegionView, RenderJob
from render_farm.domain.models import Model
from render_farm.domain.places import Region
from twf_async.clock import Clock
from twf_async.fetch.distrust import Distrusted
from twf_async.fetch.fetched import Appearance, HourFetched, HourWanted
from twf_async.ledger.entries import FreshnessEntry
from twf_async.ledger.ledger import Ledger
from twf_async.pipeline.gate import DispatchGate
from twf_async.publish.events import EventBus
from twf_async.publish.tree import PublishedTree
from twf_async.settings.load import Settings


class Renderer(Protocol):
    """Draws jobs somewhere else; any number may be asked for at once."""

    async def render(
        self, job: RenderJob, *, begun: Callable[[], None] = lambda: None
    ) -> HourRendered | HourFailed:
        """Draw a job's frames into its staging directory. begun: called when a worker takes it."""

    async def region_views(self, regions: tuple[Region, ...]) -> tuple[RegionView, ...]:
        """What the frames of these regions really show."""


class Fetcher(Protocol):
    """The other side. Every call may raise a FetchError."""

    async def hour(self, wanted: HourWanted) -> HourFetched:
        """Bring an hour's messages here."""

    async def appeared(
        self, model: Model, cycle: str, hour: int, *, anew: bool = False
    ) -> Appearance:
        """What is known of an hour that is there; anew: ask even if it is here already."""

    async def forget(self, model: Model, cycle: str, hour: int) -> None:
        """Drop what was brought of an hour: it was replaced."""

    async def distrust(
        self, model: Model, cycle: str, hour: int, keys: frozenset[MessageKey]
    ) -> Distrusted:
        """Drop what holds these fields of an hour: their values cannot be. Within bounds."""

    async def cached(self, wanted: HourWanted) -> dict[MessageKey, str]:
        """What of an hour's messages is here already, and where; nobody is asked."""

    async def newest_cycle(self, model: Model) -> str | None:
        """The newest run that has any data."""


async def _nothing(_model: str, _cycle: str) -> None:
    return


async def _unheard(_entry: FreshnessEntry) -> None:
    return


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything a run works with.

    settings     the configuration of this moment; taken once per run
    before_run   called with model and cycle before a run is opened (upkeep makes room)
    map_cache_dir  where workers keep their pixel maps
    fresh        given each hour that was waited for, once it is online
    chance       0 to 1, evenly: spreads looks, so that clients do not march in step
    """

    settings: Callable[[], Settings]
    fetcher: Fetcher
    renderer: Renderer
    tree: PublishedTree
    ledger: Ledger
    events: EventBus
    gate: DispatchGate
    clock: Clock
    map_cache_dir: Path
    before_run: Callable[[str, str], Awaitable[None]] = _nothing
    fresh: Callable[[FreshnessEntry], Awaitable[None]] = _unheard
    chance: Callable[[], float] = random.random
