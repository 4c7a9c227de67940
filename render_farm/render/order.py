"""In which order the tasks of a job are best worked through: fields that tasks share live short.

A field is decoded for its first task and let go after its last. In the order of the catalog six
fields of HRRR, 46 MB, wait through half of a job; those of one level drawn one after the other,
two.
"""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from render_farm.derive.increments import INCREMENTS
from render_farm.domain.jobs import MessageSource, ProductTask


def thrifty(tasks: Iterable[ProductTask]) -> tuple[ProductTask, ...]:
    """The same tasks, in an order in which few fields wait for others at a time.

    From what has been decoded, always on to the task that needs the least room, and leaves the
    least behind: the sum of the fields alive while it is drawn and after it. Of equal ones that
    which came first, so the order is the same for every hour that has the same fields.
    """
    left = list(tasks)
    uses = Counter(source for task in left for source in shared_sources(task))
    alive: AbstractSet[MessageSource] = frozenset()
    ordered: list[ProductTask] = []
    while left:
        task = min(left, key=lambda task: _room(task, alive, uses))
        left.remove(task)
        ordered.append(task)
        uses.subtract(shared_sources(task))
        alive = {source for source in alive | shared_sources(task) if uses[source] > 0}
    return tuple(ordered)


def shared_sources(task: ProductTask) -> frozenset[MessageSource]:
    """The messages of a task that other tasks may need: of a total those of its newest part."""
    if task.product.recipe in INCREMENTS:
        return frozenset(sources[-1] for sources in task.inputs.values() if sources)
    return frozenset(source for sources in task.inputs.values() for source in sources)


def _room(
    task: ProductTask, alive: AbstractSet[MessageSource], uses: Counter[MessageSource]
) -> int:
    """Fields alive while the task is drawn, and after it."""
    own = shared_sources(task)
    during = alive | own
    return len(during) + sum(uses[source] > (source in own) for source in during)
