"""Whether a host can be asked for several byte ranges at once, or somebody on the way breaks that.

Found out by trying: where two answers in a row brought nothing, or only some of what was asked for,
one range alone is asked for. Where that comes, several are not asked for again for a while.
"""

import asyncio

import structlog

from twf_async.fetch.errors import (
    BrokenStream,
    PastEnd,
    RangeIgnored,
    RangeRefused,
    RangesUnclear,
    Refused,
    ServerTrouble,
    SourceError,
    Throttled,
    TimedOut,
)

_PAUSE_S = 600.0
_ENOUGH = 4
# How much an answer to several ranges says against asking for them. Trouble that befalls one range
# as well is no matter of their number until it has come four times in a row.
_WEIGHTS: dict[type[SourceError], int] = {
    PastEnd: 0,  # it was understood well enough
    RangeRefused: 2,
    RangeIgnored: 2,
    RangesUnclear: 2,
    Refused: 2,
    Throttled: 2,  # for each of them the whole host is left alone
    ServerTrouble: 1,
    BrokenStream: 1,
    TimedOut: 1,
}


class Several:
    """What was seen of one host. pause_s: for how long one range is asked for at a time."""

    def __init__(self, host: str = "", pause_s: float = _PAUSE_S) -> None:
        self._host, self._pause_s = host, pause_s
        self._doubts = 0
        self._why = ("", "")
        self._not_before = 0.0
        self._log = structlog.get_logger(component="fetch")

    @property
    def trusted(self) -> bool:
        """Whether several may be asked for now."""
        if asyncio.get_running_loop().time() < self._not_before:
            return False
        return self._doubts < _ENOUGH

    def came(self, *, all_of_them: bool) -> None:
        """An answer to several was in order, as far as it went."""
        if all_of_them:
            self._doubts = 0
        else:
            self._doubt(2, "not all that was asked for", "only some of several byte ranges came")

    def failed(self, error: SourceError) -> None:
        """An answer to several brought nothing that was not here."""
        if weight := _weight(error):
            self._doubt(weight, error.reason, str(error)[:300])

    def one_came(self) -> None:
        """One range alone came as it should."""
        if self._doubts < _ENOUGH:
            return
        self._doubts = _ENOUGH - 1  # after the pause one more answer in vain is enough
        self._not_before = asyncio.get_running_loop().time() + self._pause_s
        reason, detail = self._why
        self._log.warning(
            "fetch.multi_range_refused",
            source=self._host,
            reason=reason,
            detail=detail,
            pause_s=self._pause_s,
        )

    def one_failed(self, error: SourceError) -> None:
        """One range alone does not come either: it did not lie in asking for several."""
        if self._doubts >= _ENOUGH and _weight(error):
            self._doubts = 0

    def _doubt(self, weight: int, reason: str, detail: str) -> None:
        self._doubts += weight
        self._why = (reason, detail)


def _weight(error: SourceError) -> int:
    if isinstance(error, Throttled) and not error.answered:
        return 0
    return next((weight for kind, weight in _WEIGHTS.items() if isinstance(error, kind)), 0)
