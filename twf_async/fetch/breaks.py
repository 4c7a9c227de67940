"""Whether a file breaks off at the same byte each time: then it is the file, or the way to it.

Such a fault does not pass within minutes, as an overload does, and befalls no other hour.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from twf_async.fetch.errors import BrokenStream, TimedOut

_ENOUGH = 3


class Breaks:
    """The breaks of one download; of an answer of the filter, which is made anew each time, too."""

    def __init__(self) -> None:
        self._place = self._times = 0

    @contextmanager
    def noted(self, place: Callable[[], int]) -> Iterator[None]:
        """One attempt; marks the error by which it breaks where that tells.

        place   how many bytes are here by then
        """
        try:
            yield
        except (BrokenStream, TimedOut) as error:
            self._note(error, place())
            raise

    def _note(self, error: BrokenStream | TimedOut, place: int) -> None:
        self._times = self._times + 1 if place == self._place else 1
        self._place = place
        if place and self._times >= _ENOUGH:
            error.at_same_byte = True
            error.holds_run = False
            error.args = (f"{error}; {self._times} times in a row after {place} bytes",)
