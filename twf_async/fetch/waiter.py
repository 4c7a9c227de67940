"""Who waits for what is asked of a source, and for how long.

The service has time; a command has to end. Of the context, for who waits is far from who asks, who
listens and who repeats.
"""

from contextvars import ContextVar
from typing import Protocol

from twf_async.errors import FetchError


class Waiter(Protocol):
    """Is told of every request, and says whether it is still waited for."""

    def require_waiting(self) -> None:
        """Raise a FetchError, no SourceError, where no further request is to leave."""

    def asked(self) -> None:
        """A request leaves."""

    def heard(self) -> None:
        """Bytes of an answer came."""

    def over(self) -> None:
        """A request that had left is over, whatever came of it."""

    def may_ask_again(self, error: FetchError, pause_s: float) -> bool:
        """Whether a request that failed is to be repeated after so many seconds."""


class _HasTime:
    """Waits for everything, always."""

    def require_waiting(self) -> None:
        """As it says."""

    asked = heard = over = require_waiting

    def may_ask_again(self, error: FetchError, pause_s: float) -> bool:
        """As it says."""
        del error, pause_s
        return True


_HAS_TIME = _HasTime()
waiter: ContextVar[Waiter] = ContextVar("waiter", default=_HAS_TIME)
