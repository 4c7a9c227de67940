"""What can be asked of a running service. A verb is data: the server and its client know no other.

An answer is a JSON object. What a handler refuses it raises as a TwfError: the sentence and its
exit code travel to whoever asked.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Handler = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing to ask for: GET takes nothing, POST a JSON object."""

    name: str
    method: Literal["GET", "POST"]
    handle: Handler


def by_name(verbs: Iterable[Verb]) -> dict[str, Verb]:
    """The verbs by name; ValueError where two have the same."""
    found: dict[str, Verb] = {}
    for verb in verbs:
        if verb.name in found:
            raise ValueError(f"two verbs are called {verb.name!r}")
        found[verb.name] = verb
    return found
