"""Faults that pydantic finds, in words for an operator: the key, what was given, what may be."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from pydantic_core import ErrorDetails

from twf_async.settings import allowed

_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}
_MISSING = {"missing", "missing_argument", "missing_keyword_only_argument"}
_LONGEST = 60  # characters of a value that are shown
_COUNTED = re.compile(r"-?\d[\d.]*\s*[A-Za-z%]+")  # "5s"
_MANY = 8  # choices; more are not listed where the nearest one is named
_LISTED = 40  # names at most


@dataclass(frozen=True, slots=True)
class Told:
    """One fault: the keys that lead to it (elements of lists count from 1), and what is wrong."""

    keys: tuple[str, ...]
    message: str


def told(fault: ErrorDetails, kind: Any, data: object) -> Told:  # noqa: ANN401 - any annotation
    """A fault that was found when *data* was validated as *kind*, a model or dataclass.

    Where there is a choice of types, the value as a whole is told of, not each type's own fault.
    """
    keys: list[str] = []
    value = data
    *above, last = fault["loc"] or ("",)
    of_key = fault["type"] in _UNKNOWN | _MISSING
    whole = True
    for step in above if of_key else fault["loc"]:
        inner = allowed.inside(kind, step)
        if inner is None:
            whole = False
            break
        kind, value = inner, _at(value, step)
        keys.append(_key(step))
    if not whole or not of_key:
        return Told(tuple(keys), _message(fault, kind, fault["input"] if whole else value))
    if fault["type"] in _MISSING:
        message = "it is missing"
    else:
        message = unknown_key(str(last), kind, is_table=isinstance(fault["input"], Mapping))
    return Told((*keys, _key(last)), message)


def not_allowed(value: object, kind: Any, *, finite: bool = False) -> str:  # noqa: ANN401
    """The sentence for a *value* that is not what its type wants."""
    phrases = allowed.words(kind, finite=finite)
    if len(phrases) == 1:
        unit = "; write it without a unit" if _COUNTED.fullmatch(str(value)) else ""
        return f"{shown(value)} is not {phrases[0]}{unit if 'number' in phrases[0] else ''}"
    near = nearest(value, allowed.values(kind)) if isinstance(value, str) else None
    meant = f"; did you mean {near!r}?" if near else ""
    if len(phrases) > _MANY and near:
        return f"there is no {shown(value)}{meant}"
    *most, last = phrases
    if len(phrases) > 2 and all(phrase.startswith("'") for phrase in phrases):
        return f"{shown(value)} is none of {', '.join(phrases)}{meant}"
    return f"{shown(value)} is neither {', '.join(most)} nor {last}{meant}"


def unknown_key(name: str, kind: Any, *, is_table: bool = False) -> str:  # noqa: ANN401
    """The sentence for a key that the table *kind* does not have, with the nearest it has."""
    what = "section" if is_table else "key"
    own = allowed.fields(kind)
    near = nearest(name, own)
    if near is None:
        deeper = [f"{key}.{name}" for key, inner in own.items() if name in allowed.fields(inner)]
        near = deeper[0] if len(deeper) == 1 else None
    if near is not None:
        return f"unknown {what}; did you mean {near!r}?"
    listed = ", ".join(list(own)[:_LISTED])
    return f"unknown {what}" + (f"; there are: {listed}" if listed else "")


def nearest(name: str, known: Collection[str]) -> str | None:
    """That of the *known* which was meant, most likely; small and capital letters are alike."""
    small = {key.lower(): key for key in known}
    return next((small[key] for key in difflib.get_close_matches(name.lower(), small, n=1)), None)


def shown(value: object) -> str:
    """A value as it stands in TOML; a long one in short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        text = f"[{', '.join(map(shown, value))}]"
        return text if len(text) <= _LONGEST and "a table" not in text else "the list"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}.."


def _key(step: str | int) -> str:
    return str(step + 1) if isinstance(step, int) else step


def _message(fault: ErrorDetails, kind: Any, value: object) -> str:  # noqa: ANN401
    if fault["type"] == "value_error" and len(allowed.choices(kind) or ("",)) == 1:
        return fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "too_short" and allowed.words(kind) == ("a list",):
        return "it has no entry that can be used" if value else "it has no entry"
    return not_allowed(value, kind, finite=fault["type"] == "finite_number")


def _at(value: object, step: str | int) -> object:
    """What *value* has at *step*."""
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, Sequence) and isinstance(step, int) and step < len(value):
        return value[step]
    return getattr(value, str(step), None)
