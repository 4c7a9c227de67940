"""How often and after which pause a request is repeated."""

import random
from dataclasses import dataclass

from twf_async.errors import FetchError


@dataclass(frozen=True, slots=True)
class Patience:
    """The policy of back-off.

    attempts      how often one file is tried before its hour is reported as failed
    scale         multiplies every pause; rehearsals make it small
    longest_s     no pause between two attempts is longer
    throttle_s    first pause of a whole host after it throttled us; doubles up to throttle_max_s
    """

    attempts: int = 5
    scale: float = 1.0
    longest_s: float = 120.0
    throttle_s: float = 60.0
    throttle_max_s: float = 3600.0

    def pause_s(self, error: FetchError, attempt: int) -> float | None:
        """Seconds to wait after the *attempt*-th failure, from 1; None: give up.

        Doubles with each attempt, with jitter of half to one and a half, so that clients which
        failed together do not come back together.
        """
        if error.retry_after_s is None or attempt >= self.attempts:
            return None
        doubled = min(error.retry_after_s * 2.0 ** (attempt - 1), self.longest_s)
        return doubled * _jitter(0.5, 1.5) * self.scale

    def throttle_pause_s(self, strikes: int) -> float:
        """How long a host is left alone after the *strikes*-th refusal in a row, from 1.

        Never less than asked: those who keep knocking stay blocked.
        """
        doubled = min(self.throttle_s * 2.0 ** min(strikes - 1, 16), self.throttle_max_s)
        return doubled * _jitter(1.0, 1.25) * self.scale


def _jitter(low: float, high: float) -> float:
    return random.uniform(low, high)  # noqa: S311 - spreads load, guards nothing
