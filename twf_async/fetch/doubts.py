"""Whether to believe an inventory that lacks what is wanted.

One that was cut just where a line ends, or is not written to its end yet, looks whole. Taken at its
word, it would leave out fields that are there a moment later; so what no file of the run has lacked
so far is looked for a second time.
"""

from collections import OrderedDict
from collections.abc import Iterable

from render_farm.domain.fields import MessageKey
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import FieldsLacking
from twf_async.plan.idx import IdxLine

_URLS_REMEMBERED = 256
_RUNS_REMEMBERED = 32
_Run = tuple[str, str]  # model, cycle
_Kind = tuple[bool, str, str, str]  # first hour?, parameter, level, statistic


class Doubts:
    """Remembers which inventories were doubted, and which fields a run does not write.

    What one run lacks says nothing of the next: a field that was late in a bad run is doubted, and
    so looked for, again. Within a run a field that turns up after all is believed no longer to be
    lacking.
    """

    def __init__(self) -> None:
        self._doubted: OrderedDict[str, int] = OrderedDict()
        self._unwritten: OrderedDict[_Run, set[_Kind]] = OrderedDict()

    def require_told(
        self, errand: Errand, lines: tuple[IdxLine, ...], wanted: frozenset[MessageKey]
    ) -> None:
        """Raise FieldsLacking for the first reading of an inventory that lacks fields of *wanted*.

        The second reading of the same text is believed, and so are fields of these kinds that
        are not in later hours of the run either.
        """
        told = {line.key for line in lines if line.key is not None}
        unwritten = self._of_run(errand)
        unwritten.difference_update(_kinds(errand, wanted & told))
        lacking = wanted - told
        news = {key for key in lacking if _kind(errand, key) not in unwritten}
        if not news:
            return
        url, text = errand.at.idx_url, hash(lines)
        if self._doubted.pop(url, None) == text:
            unwritten.update(_kinds(errand, news))
            return
        self._doubted[url] = text
        while len(self._doubted) > _URLS_REMEMBERED:
            self._doubted.popitem(last=False)
        raise FieldsLacking(f"{url}: {len(news)} fields are not in it, among them {min(news)}")

    def _of_run(self, errand: Errand) -> set[_Kind]:
        run = (errand.at.model.key, errand.at.cycle)
        kinds = self._unwritten.setdefault(run, set())
        self._unwritten.move_to_end(run)
        while len(self._unwritten) > _RUNS_REMEMBERED:
            self._unwritten.popitem(last=False)
        return kinds


def _kinds(errand: Errand, keys: Iterable[MessageKey]) -> set[_Kind]:
    return {_kind(errand, key) for key in keys}


def _kind(errand: Errand, key: MessageKey) -> _Kind:
    return errand.at.hour == 0, key.parameter, key.level, str(key.statistic)
