"""What was learned of files and sources, and is as true after a reload as before.

Everything in it is known by the model, the run or the URL that it is of: another configuration asks
for others, or for the same. Only since when hours fail, and NOMADS cannot be reached, is of the
source that was asked: it is forgotten where that is another one now.
"""

from dataclasses import dataclass, field
from typing import Self

from twf_async.clock import Clock
from twf_async.fetch.doubts import Doubts
from twf_async.fetch.fallback import Outages
from twf_async.fetch.grids import Grids
from twf_async.fetch.origins import Origins
from twf_async.fetch.settling import Settling


@dataclass(slots=True)
class Memory:
    """See above. Shared by what is under way with old settings and what begins with new ones."""

    settling: Settling
    doubts: Doubts
    grids: Grids = field(default_factory=Grids)
    origins: Origins = field(default_factory=Origins)
    outages: Outages = field(default_factory=Outages)

    @classmethod
    def blank(cls, clock: Clock) -> Self:
        """Of a process that has just started."""
        return cls(Settling(clock), Doubts(clock))

    def at_other_sources(self) -> None:
        """Others are asked from now on; what is under way at the old ones keeps what it knows."""
        self.outages = Outages()
