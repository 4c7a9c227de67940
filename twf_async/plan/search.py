"""The search for a model's newest run: which cycle to ask for, and when. Pure.

The clock only narrows down what is worth asking for; whether a run exists is found by asking for
its first hour. A run that never comes is asked for more and more rarely, and no more once its time
is over. Before any run is known, older ones are asked for too, newest first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from render_farm.domain.models import Model
from twf_async.plan.arrivals import Window
from twf_async.plan.looks import Pace, first_look, look_again
from twf_async.plan.progress import USUAL_REQUESTS
from twf_async.plan.runs import cycles_since, deadline, hours_of_cycle, next_cycle

Windows = Callable[[str], Window]  # of the first hour of a cycle

OTHERWISE = timedelta(minutes=5)  # so late, a run may have begun without its first hour
HARDLY = 10  # times the usual pause, for old runs while none at all is known


@dataclass(frozen=True, slots=True)
class RunSearch:
    """What was looked for so far.

    latest   the newest run that is known, "" for none
    looked   cycle -> when it may be asked for again; None: not any more
    missed   cycle -> when it was last asked for in vain
    times    cycle -> how often that was
    vain     looks in vain since the latest was found
    """

    model: Model
    latest: str = ""
    looked: Mapping[str, datetime | None] = field(default_factory=dict)
    missed: Mapping[str, datetime] = field(default_factory=dict)
    times: Mapping[str, int] = field(default_factory=dict)
    vain: int = 0

    def due(self, windows: Windows, now: datetime) -> tuple[str, ...]:
        """Cycles to ask for now, newest first."""
        return tuple(
            cycle
            for cycle in cycles_since(self.model, self.latest, now)
            if (when := self._when(cycle, windows, now)) is not None and when <= now
        )

    def next_look(self, windows: Windows, now: datetime) -> datetime:
        """When any cycle is to be asked for; never later than the beginning of the next run."""
        known = cycles_since(self.model, self.latest, now)
        coming = next_cycle(self.model, known[0] if known else self.latest)
        times = [self._first(coming, windows)]
        times += [when for cycle in known if (when := self._when(cycle, windows, now)) is not None]
        return max(min(times), now)

    def hour_to_ask(self, cycle: str, windows: Windows, now: datetime) -> int:
        """By which hour to see whether a run is there: its first; of a late one, by turns the next.

        Of a run whose first hour never comes all others would be lost.
        """
        first, *others = hours_of_cycle(self.model, cycle)
        is_late = now > windows(cycle).high + OTHERWISE
        return others[0] if others and is_late and self.times.get(cycle, 0) % 2 else first

    def absent(self, cycle: str, windows: Windows, now: datetime, *, chance: float) -> "RunSearch":
        """The cycle has nothing yet; see `gave_up`."""
        again: datetime | None = look_again(windows(cycle), now, pace=self._pace, chance=chance)
        if again is not None and now >= deadline(self.model, cycle):
            again = None if self.latest else now + HARDLY * (again - now)
        return replace(
            self,
            looked={**self.looked, cycle: again},
            missed={**self.missed, cycle: now},
            times={**self.times, cycle: self.times.get(cycle, 0) + 1},
            vain=self.vain + 1,
        )

    def found(self, cycle: str) -> "RunSearch":
        """The cycle is there: only newer ones matter now."""
        return RunSearch(self.model, max(cycle, self.latest))

    def gave_up(self, cycle: str) -> bool:
        """Whether a run was waited for in vain: it is not asked for any more."""
        return cycle in self.looked and self.looked[cycle] is None

    def overtaken(self, found: str) -> tuple[str, ...]:
        """Runs older than *found* that were still waited for."""
        return tuple(
            sorted(
                cycle
                for cycle, again in self.looked.items()
                if self.latest and cycle < found and again is not None
            )
        )

    def _when(self, cycle: str, windows: Windows, now: datetime) -> datetime | None:
        if cycle in self.looked:
            return self.looked[cycle]
        if self.latest and now >= deadline(self.model, cycle):
            return None
        return self._first(cycle, windows)

    def _first(self, cycle: str, windows: Windows) -> datetime:
        return first_look(windows(cycle), pace=self._pace, eager=True, chance=0.5)

    @property
    def _pace(self) -> Pace:
        early = self.model.requests_per_hour > USUAL_REQUESTS
        return Pace(self.model.poll_s, whole_run=True, early=early)
