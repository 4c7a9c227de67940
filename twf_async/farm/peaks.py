"""What memory jobs take at most, learned from those that were done."""

from collections import OrderedDict, deque
from collections.abc import Mapping

from twf_async.farm.turns import Kind

HEADROOM = 1.1  # above the highest of the jobs that are remembered
REMEMBERED = 50  # jobs of each kind
KINDS = 200  # the rest is forgotten, longest unused first: reloads make ever new ones


class Peaks:
    """Highest resident sets, by kind of job; of a kind not seen yet, those of its model."""

    def __init__(self, unknown_mb: float, known_mb: Mapping[str, float] | None = None) -> None:
        """
        unknown_mb  what a job of a model is counted with of which nothing is known
        known_mb    model -> the highest peak of its jobs, from before this start
        """
        self._unknown_mb = unknown_mb
        self._known_mb = dict(known_mb or {})
        self._kinds: OrderedDict[Kind, deque[float]] = OrderedDict()

    def expected_mb(self, kind: Kind) -> float:
        """What a job of this kind is counted with."""
        if seen := self._kinds.get(kind):
            return HEADROOM * max(seen)
        return self.of_model_mb(kind.model)

    def of_model_mb(self, model: str) -> float:
        """What a job of this model is counted with, whatever is drawn of it."""
        seen = [max(peaks) for kind, peaks in self._kinds.items() if kind.model == model]
        if seen:
            return HEADROOM * max(seen)
        known = self._known_mb.get(model)
        return self._unknown_mb if known is None else HEADROOM * known

    @property
    def largest_mb(self) -> float:
        """What one more worker is counted with, whatever it is given to draw."""
        models = {kind.model for kind in self._kinds} | self._known_mb.keys()
        return max((self.of_model_mb(model) for model in models), default=self._unknown_mb)

    def note(self, kind: Kind, peak_mb: float) -> None:
        """A job of this kind reached *peak_mb*."""
        self._kinds.setdefault(kind, deque(maxlen=REMEMBERED)).append(peak_mb)
        self._kinds.move_to_end(kind)
        if len(self._kinds) > KINDS:
            self._kinds.popitem(last=False)
