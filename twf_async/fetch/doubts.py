"""Whether to believe an inventory that lacks what is wanted.

One that was cut just where a line ends, or is not written to its end yet, looks whole. Taken at its
word, it would leave out fields that are there a moment later; so what no file of the run has lacked
so far is looked for a second time, and what others of its files, or the run before, have had, once
more after a while.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from render_farm.domain.fields import MessageKey
from twf_async.clock import Clock
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import FieldsLacking
from twf_async.plan.idx import IdxLine

_URLS_REMEMBERED = 256
_RUNS_REMEMBERED = 32
_HOURS_THAT_TELL = 3
_A_WHILE = timedelta(seconds=10)  # an inventory is written in less
_Run = tuple[str, str]  # model, cycle
_Kind = tuple[bool, bool, str, str, str]  # first hour?, since it?, parameter, level, statistic


@dataclass(frozen=True, slots=True)
class _Doubted:
    """The text of an inventory, by its hash, and when it was read first."""

    text: int
    at: datetime


@dataclass(frozen=True, slots=True)
class _RunHas:
    """The kinds of fields that hours of a run have, and which hours have not got the others.

    before  kinds that the run before it had
    """

    written: set[_Kind] = field(default_factory=set)
    before: frozenset[_Kind] = frozenset()
    unwritten: dict[_Kind, set[int]] = field(default_factory=dict)

    def note(self, kinds: Iterable[_Kind], hour: int) -> None:
        """An hour has no fields of these kinds."""
        for kind in kinds:
            self.unwritten.setdefault(kind, set()).add(hour)

    def passed_on(self) -> "_RunHas":
        """What the next run need not be doubted for; its first hour tells of nothing but itself."""
        lasting = {
            kind: set[int]()
            for kind, hours in self.unwritten.items()
            if len(hours) >= _HOURS_THAT_TELL and not kind[0] and kind not in self.written
        }
        return _RunHas(before=frozenset(self.written), unwritten=lasting)

    def may_have(self, kinds: set[_Kind]) -> bool:
        """Whether such fields are known of this run, or of the one before."""
        return not (self.written.isdisjoint(kinds) and self.before.isdisjoint(kinds))


class Doubts:
    """Remembers which inventories were doubted, and which fields a run does not write.

    A field that turns up after all is believed no longer to be lacking. The next run is doubted
    anew but for what several hours of this one lacked and none had.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._doubted: OrderedDict[str, _Doubted] = OrderedDict()  # by URL
        self._runs: OrderedDict[_Run, _RunHas] = OrderedDict()

    def require_told(
        self, errand: Errand, lines: tuple[IdxLine, ...], wanted: frozenset[MessageKey]
    ) -> None:
        """Raise FieldsLacking for the first reading of an inventory that lacks fields of *wanted*.

        The second reading of the same text is believed, but only after a while where other hours
        of the run, or of the one before, have had such a field. What is believed is not looked for
        in later hours.
        """
        told = {line.key for line in lines if line.key is not None}
        run = self._of_run(errand)
        found = _kinds(errand, wanted & told)
        run.written.update(found)
        for kind in found:
            run.unwritten.pop(kind, None)
        lacking = wanted - told
        news = {key for key in lacking if _kind(errand, key) not in run.unwritten}
        run.note(_kinds(errand, lacking - news), errand.at.hour)
        if not news:
            return
        kinds, url, now = _kinds(errand, news), errand.at.idx_url, self._clock.now()
        before = self._doubted.get(url)
        if before is None or before.text != hash(lines):
            before = self._doubted[url] = _Doubted(hash(lines), now)
            while len(self._doubted) > _URLS_REMEMBERED:
                self._doubted.popitem(last=False)
        elif now - before.at >= _A_WHILE or not run.may_have(kinds):
            del self._doubted[url]
            run.note(kinds, errand.at.hour)
            return
        raise FieldsLacking(f"{url}: {len(news)} fields are not in it, among them {min(news)}")

    def _of_run(self, errand: Errand) -> _RunHas:
        run = (errand.at.model.key, errand.at.cycle)
        known = self._runs.get(run)
        if known is None:
            before = [other for other in self._runs if other[0] == run[0] and other[1] < run[1]]
            known = self._runs[max(before)].passed_on() if before else _RunHas()
            self._runs[run] = known
        self._runs.move_to_end(run)
        while len(self._runs) > _RUNS_REMEMBERED:
            self._runs.popitem(last=False)
        return known


def _kinds(errand: Errand, keys: Iterable[MessageKey]) -> set[_Kind]:
    return {_kind(errand, key) for key in keys}


def _kind(errand: Errand, key: MessageKey) -> _Kind:
    return errand.at.hour == 0, key.start_h == 0, key.parameter, key.level, str(key.statistic)
