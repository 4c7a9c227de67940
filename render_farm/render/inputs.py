"""Fields for the tasks of a job: each message decoded once, let go after its last use."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from render_farm.decode.alignment import aligned
from render_farm.decode.fields import Failure, Field
from render_farm.decode.read import read
from render_farm.domain.jobs import MessageSource, ProductTask, Reason
from render_farm.domain.places import Box
from render_farm.domain.recipes import RECIPE_FACES

_log = structlog.get_logger(component="render")

Inputs = dict[str, tuple[Field, ...]]
Offsets = Mapping[MessageSource, int]  # byte of its file at which a message begins


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a task has not the fields it needs, with one plain sentence. bad: see FrameFailure."""

    reason: Reason
    detail: str
    bad: tuple[MessageSource, ...] = ()


class JobFields:
    """Decodes what the tasks need, task by task, so that memory holds few fields at a time."""

    def __init__(
        self, tasks: Iterable[ProductTask], cycle: str, boxes: tuple[Box, ...] = ()
    ) -> None:
        """boxes: what the maps look at, fields are cut to it; none: whole fields."""
        self._cycle, self._boxes = cycle, boxes
        self._uses = Counter(source for task in tasks for source in _sources(task))
        self._fields: dict[MessageSource, Field | Failure] = {}
        self._offsets: dict[MessageSource, int] = {}
        self.decode_s = self.decode_cpu_s = 0.0

    @property
    def offsets(self) -> Offsets:
        """Of every message decoded so far, let go or not."""
        return self._offsets

    def inputs(self, task: ProductTask) -> Inputs | Unusable:
        """The fields of *task* by role.

        An optional role whose message is missing is left out, and with it the types of
        precipitation that it might have overruled; any other that is missing, and any that is bad,
        makes the task unusable. An empty window is an empty tuple.
        """
        sources = _sources(task)
        self._fields.update(self._read(sources))
        try:
            return self._by_role(task, self._fields)
        finally:
            self._let_go(sources)

    def inputs_apart(self, task: ProductTask) -> Inputs | Unusable:
        """The same for a part of a task that no other needs: nothing of it is held on to."""
        sources = _sources(task)
        return self._by_role(task, {**self._fields, **self._read(sources)})

    def note_offsets(self, offsets: Iterable[tuple[MessageSource, int]]) -> None:
        """Where messages begin that need not be decoded."""
        self._offsets.update(offsets)

    def _read(self, sources: Iterable[MessageSource]) -> dict[MessageSource, Field | Failure]:
        """What is not here yet."""
        wanted = [source for source in sources if source not in self._fields]
        if not wanted:
            return {}
        start, cpu = time.perf_counter(), time.process_time()
        found = read(wanted, cycle=self._cycle, boxes=self._boxes)
        self._offsets.update((s, f.offset) for s, f in found.items() if isinstance(f, Field))
        self.decode_s += time.perf_counter() - start
        self.decode_cpu_s += time.process_time() - cpu
        return found

    def _by_role(
        self, task: ProductTask, fields: Mapping[MessageSource, Field | Failure]
    ) -> Inputs | Unusable:
        product = task.product
        absent = product.fields.keys() - task.inputs.keys() - set(product.optional)
        if absent:
            names = ", ".join(sorted(absent))
            return Unusable(Reason.FIELD_MISSING, f"the job names no message for {names}")
        inputs: Inputs = {}
        left_out: dict[str, Failure] = {}
        for role, sources in task.inputs.items():
            found = [fields[source] for source in sources]
            failures = [result for result in found if isinstance(result, Failure)]
            if not failures:
                inputs[role] = tuple(result for result in found if isinstance(result, Field))
            elif role in product.optional and failures[0].reason is Reason.FIELD_MISSING:
                left_out[role] = failures[0]  # damaged is another matter: snow would turn to rain
            else:
                return Unusable(failures[0].reason, failures[0].detail, _bad(task, fields))
        face = RECIPE_FACES.get(product.recipe)
        for role in face.in_doubt(product.fields.keys() - inputs.keys()) if face else ():
            inputs.pop(role, None)
        if left_out:
            details = " ".join(failure.detail for failure in left_out.values())
            _log.info(
                "render.roles_left_out", product=product.key, roles=[*left_out], detail=details
            )
        return _on_one_grid(inputs)

    def _let_go(self, sources: Iterable[MessageSource]) -> None:
        for source in sources:
            self._uses[source] -= 1
            if self._uses[source] <= 0:
                self._fields.pop(source, None)


def _on_one_grid(inputs: Inputs) -> Inputs:
    """Hours that came by different ways hold different cut-outs of the model's grid."""
    fields = iter(aligned([field for of in inputs.values() for field in of]))
    return {role: tuple(next(fields) for _ in of) for role, of in inputs.items()}


def _bad(
    task: ProductTask, fields: Mapping[MessageSource, Field | Failure]
) -> tuple[MessageSource, ...]:
    """All messages of the task that are there and cannot be trusted, for they may come anew."""
    found = ((source, fields[source]) for source in _sources(task))
    return tuple(
        source
        for source, result in found
        if isinstance(result, Failure) and result.reason is Reason.BAD_DATA
    )


def _sources(task: ProductTask) -> tuple[MessageSource, ...]:
    """The messages of a task, each once, in a fixed order."""
    return tuple(dict.fromkeys(s for sources in task.inputs.values() for s in sources))
