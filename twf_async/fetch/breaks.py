"""Whether a file breaks off at the same byte each time: then it is the file, or the way to it.

Such a fault does not pass within minutes, as an overload does, and befalls no other hour.
"""

from twf_async.fetch.errors import BrokenStream, TimedOut

_ENOUGH = 3


class Breaks:
    """The breaks of one download."""

    def __init__(self) -> None:
        self._place = self._times = 0

    def note(self, error: BrokenStream | TimedOut, place: int) -> None:
        """It broke by *error* when *place* bytes were here; marks the error where that tells."""
        self._times = self._times + 1 if place == self._place else 1
        self._place = place
        if place and self._times >= _ENOUGH:
            error.at_same_byte = True
            error.holds_run = False
            error.args = (f"{error}; {self._times} times in a row after {place} bytes",)
