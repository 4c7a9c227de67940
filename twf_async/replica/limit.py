"""What NOMADS allows a client (nomads.md 2.6, 8.6): settings of the limiter, as data."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

_STRICT = ConfigDict(extra="forbid")


class Refusal(StrEnum):
    """How a blocked client is answered: the redirect to nowhere, its page as 200, or a 403."""

    REDIRECT = "302"
    PAGE = "200"
    BLOCK = "403"


@dataclass(frozen=True, slots=True, config=_STRICT)
class Limit:
    """hits_per_min above which a client is blocked for block_s.

    extends  True: every request during the block starts it anew
    refusal  how a blocked client is answered
    """

    hits_per_min: Annotated[int, Field(ge=0)] = 120
    block_s: Annotated[float, Field(ge=0.0)] = 60.0
    extends: bool = False
    refusal: Refusal = Refusal.REDIRECT


@dataclass(frozen=True, slots=True, config=_STRICT)
class Burst:
    """Akamai's bot mitigation: below the limit, and only for who does not send its cookie back.

    More than *requests* within window_s, and the next *times* requests get a redirect without a
    Location, a phrase or a body.
    """

    requests: Annotated[int, Field(ge=1)] = 10
    window_s: Annotated[float, Field(gt=0.0)] = 1.0
    times: Annotated[int, Field(ge=1)] = 2
