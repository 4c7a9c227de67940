"""Whose turn it is when a slot is free. Pure.

Models take turns, so a finished hour of HRRR waits for one job of each other model, never for a
whole run of GFS. Within a model the newest run goes first, and of it the earliest hour; but every
PATIENCE-th turn of a model is its longest-waiting job's, so a run that newer ones overtake for ever
still ends.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from render_farm.domain.jobs import RenderJob

PATIENCE = 8


@dataclass(frozen=True, slots=True)
class Kind:
    """Jobs that take about the same memory."""

    model: str
    products: int
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A place in the queue.

    number  rises as they come
    kind    None: no job but a small question of the service, which goes before all jobs
    alone   only while no other job runs
    """

    number: int
    kind: Kind | None = None
    cycle: str = ""
    hour: int = 0
    alone: bool = False

    @property
    def job(self) -> dict[str, str | int] | None:
        """Which hour of which run, for status pages; None of a question."""
        if self.kind is None:
            return None
        return {"model": self.kind.model, "cycle": self.cycle, "hour": self.hour}


@dataclass(frozen=True, slots=True)
class Turns:
    """Who had turns so far: when each model had its last, and how many."""

    taken: int = 0
    last: Mapping[str, int] = field(default_factory=dict)
    count: Mapping[str, int] = field(default_factory=dict)

    def choose(self, waiting: Collection[Ticket]) -> Ticket:
        """The next of *waiting*, which is not empty."""
        questions = [ticket for ticket in waiting if ticket.kind is None]
        if questions:
            return min(questions, key=lambda ticket: ticket.number)
        models = {ticket.kind.model for ticket in waiting if ticket.kind is not None}
        model = min(models, key=lambda key: (self.last.get(key, -1), key))
        own = [ticket for ticket in waiting if ticket.kind and ticket.kind.model == model]
        if (self.count.get(model, 0) + 1) % PATIENCE == 0:
            return min(own, key=lambda ticket: ticket.number)
        newest = max(ticket.cycle for ticket in own)
        return min(
            (ticket for ticket in own if ticket.cycle == newest),
            key=lambda ticket: (ticket.hour, ticket.number),
        )

    def after(self, ticket: Ticket) -> "Turns":
        """Who had turns once *ticket* has had its own."""
        if ticket.kind is None:
            return self
        model = ticket.kind.model
        return Turns(
            self.taken + 1,
            {**self.last, model: self.taken},
            {**self.count, model: self.count.get(model, 0) + 1},
        )


def kind_of(job: RenderJob) -> Kind:
    """The kind of a job: by its model, the number of its products, and its regions."""
    regions = {key for task in job.tasks for key in task.regions}
    return Kind(job.model, len(job.tasks), tuple(sorted(regions)))
