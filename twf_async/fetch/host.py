"""Whom we ask, for what, and what it has cost so far."""

from dataclasses import dataclass, field
from typing import Literal

from twf_async.fetch.pacer import Pacer
from twf_async.fetch.pacing import Breaker
from twf_async.fetch.several import Several
from twf_async.fetch.skew import Skew
from twf_async.fetch.spans import Span

Kind = Literal["INVENTORY", "FILTERED", "RANGES", "FULL"]


@dataclass(frozen=True, slots=True)
class Host:
    """One source's budget and breaker, and what is known of how it answers.

    several  whether it can be asked for several ranges at once
    skew     its clock's, against ours
    """

    name: str
    pacer: Pacer
    breaker: Breaker
    several: Several = field(default_factory=Several)
    skew: Skew = field(default_factory=Skew)


@dataclass(slots=True)
class Tally:
    """What one piece of work has cost so far. Whoever keeps accounts hands in a kind of its own."""

    requests: int = 0
    received_bytes: int = 0

    def sent(self, host: str) -> None:
        """A request leaves for *host*."""
        del host
        self.requests += 1

    def received(self, kind: Kind, count: int) -> None:
        """*count* bytes of an answer's body came. What this raises ends the answer."""
        del kind
        self.received_bytes += count


@dataclass(frozen=True, slots=True)
class Request:
    """One question: for a body, or with *headers_only* for what would come with it.

    model   whose connections it takes
    kind    what is asked for, for the accounts
    spans   of bytes, rising and apart; none asks for the whole
    recent  whether it is too young to have been cleared away
    expected_bytes  for the deadline only
    """

    url: str
    model: str
    kind: Kind
    spans: tuple[Span, ...] = ()
    recent: bool = True
    expected_bytes: int = 0
    headers_only: bool = False
