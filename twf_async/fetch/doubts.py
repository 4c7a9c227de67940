"""Whether to believe an inventory that lacks what is wanted.

One that was cut just where a line ends, or is not written to its end yet, looks whole. Taken at its
word, it would leave out fields that are there a moment later; so what no file of the model has
lacked so far is looked for a second time.
"""

from collections import OrderedDict

from render_farm.domain.fields import MessageKey
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import FieldsLacking
from twf_async.plan.idx import IdxLine

_URLS_REMEMBERED = 256
_Kind = tuple[str, bool, str, str, str]  # model, first hour?, parameter, level, statistic


class Doubts:
    """Remembers which inventories were doubted, and which fields models do not write."""

    def __init__(self) -> None:
        self._doubted: OrderedDict[str, int] = OrderedDict()
        self._unwritten: set[_Kind] = set()

    def require_told(
        self, errand: Errand, lines: tuple[IdxLine, ...], wanted: frozenset[MessageKey]
    ) -> None:
        """Raise FieldsLacking for the first reading of an inventory that lacks fields of *wanted*.

        The second reading of the same text is believed, and so are fields of these kinds that
        are not in later hours' either.
        """
        told = {line.key for line in lines}
        lacking = {key for key in wanted if key not in told}
        news = {key for key in lacking if _kind(errand, key) not in self._unwritten}
        if not news:
            return
        url, text = errand.at.idx_url, hash(lines)
        if self._doubted.pop(url, None) == text:
            self._unwritten.update(_kind(errand, key) for key in news)
            return
        self._doubted[url] = text
        while len(self._doubted) > _URLS_REMEMBERED:
            self._doubted.popitem(last=False)
        raise FieldsLacking(f"{url}: {len(news)} fields are not in it, among them {min(news)}")


def _kind(errand: Errand, key: MessageKey) -> _Kind:
    at = errand.at
    return at.model.key, at.hour == 0, key.parameter, key.level, str(key.statistic)
