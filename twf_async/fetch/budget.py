"""How many bytes may be received for one forecast hour, and for one run.

A guard rail, not a pace: normal work stays far below it. What runs into it is a fault, of ours, of
the configuration or of the other side, and would else go on until somebody pays for the traffic.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from twf_async.errors import FetchError
from twf_async.fetch.fallback import Hour
from twf_async.fetch.record import Record
from twf_async.settings.service import FetchSettings

Run = tuple[str, str]  # model, cycle
MB = 1_000_000
_RUNS_REMEMBERED = 64
_PER_HOUR, _PER_RUN = "fetch.budget_mb_per_hour", "fetch.budget_mb_per_run"


class BudgetSpent(FetchError):
    """An hour or a run has cost more than it may; asking again cannot help."""

    reason = "byte budget spent"


@dataclass(slots=True)
class _Spent:
    """Bytes received for a run, and for each of its hours. told: which excesses were logged."""

    bytes: int = 0
    hours: dict[int, int] = field(default_factory=dict)
    told: set[int | None] = field(default_factory=set)


class Budget:
    """Counts what every run receives, and refuses what goes beyond."""

    def __init__(self, settings: FetchSettings) -> None:
        self._settings = settings
        self._runs: OrderedDict[Run, _Spent] = OrderedDict()
        self._log = structlog.get_logger(component="fetch")

    def change(self, settings: FetchSettings) -> None:
        """Go on with other bounds; what was spent stays spent."""
        self._settings = settings
        for run in self._runs.values():
            run.told.clear()

    def knows(self, run: Run) -> bool:
        """Whether anything was counted for the run."""
        return run in self._runs

    def recall(self, run: Run, records: Iterable[Record]) -> None:
        """Count what earlier processes left in the cache of a run that is not known yet."""
        if run not in self._runs:
            for record in records:
                self._count((*run, record.hour), record.bytes)

    def spend(self, hour: Hour, count: int) -> None:
        """*count* bytes came for an hour. Raises BudgetSpent where they were too many."""
        self._count(hour, count)
        self.require(hour)

    def require(self, hour: Hour) -> None:
        """Raise BudgetSpent if nothing more may be received for the hour."""
        model, cycle, number = hour
        run, settings = self._runs.get((model, cycle)), self._settings
        if run is None:
            return
        bounds: tuple[tuple[int | None, int, float, str], ...] = (
            (None, run.bytes, settings.budget_mb_per_run, _PER_RUN),
            (number, run.hours.get(number, 0), settings.budget_mb_per_hour, _PER_HOUR),
        )
        for which, spent, budget_mb, key in bounds:
            if spent < budget_mb * MB:
                continue
            if which not in run.told:
                run.told.add(which)
                self._log.warning(
                    "fetch.budget_spent",
                    model=model,
                    cycle=cycle,
                    hour=which,
                    megabytes=round(spent / MB, 3),
                    budget_mb=budget_mb,
                    setting=key,
                )
            raise BudgetSpent(
                f"{spent / MB:.0f} MB received, {budget_mb:g} MB allowed;"
                f" raise {key} if that is what it takes"
            )

    def spent(self, run: Run) -> int:
        """Bytes that a run has received so far."""
        return self._runs[run].bytes if run in self._runs else 0

    def _count(self, hour: Hour, count: int) -> None:
        model, cycle, number = hour
        run = self._runs.setdefault((model, cycle), _Spent())
        self._runs.move_to_end((model, cycle))
        run.bytes += count
        run.hours[number] = run.hours.get(number, 0) + count
        while len(self._runs) > _RUNS_REMEMBERED:
            self._runs.popitem(last=False)
