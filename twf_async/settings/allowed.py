"""What a setting may be, in words, by its type: "a whole number from 0 to 65535".

Types are those of pydantic's models and dataclasses: numbers with limits, choices, texts, times,
lists, tables.
"""

import re
import types
import typing
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AwareDatetime
from pydantic.fields import FieldInfo

_COLOUR = "#[0-9a-fA-F]{6}"
_KEY = "[a-z0-9_]"
_SIMPLE: dict[Any, tuple[str, ...]] = {
    bool: ("true", "false"),
    Path: ("a path in quotation marks",),
    datetime: ("a time as 2026-01-29T15:30:00Z",),
    AwareDatetime: ("a time as 2026-01-29T15:30:00Z",),
}


def fields(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - any annotation
    """Keys of the table that *kind* describes, each with its type; none where it is no table."""
    options = choices(kind) or (kind,)
    bare, _ = _bare(options[0])
    found: dict[str, FieldInfo] = getattr(bare, "__pydantic_fields__", {})
    return {
        name: Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        for name, field in found.items()
    }


def choices(kind: Any) -> tuple[Any, ...] | None:  # noqa: ANN401
    """Types of which a value must have one, None (left out) not among them; None for one type."""
    kind, _ = _bare(kind)
    if get_origin(kind) not in {typing.Union, types.UnionType}:
        return None
    return tuple(part for part in get_args(kind) if part is not types.NoneType)


def inside(kind: Any, step: str | int) -> Any:  # noqa: ANN401
    """The type of what a table or list of *kind* has at *step*; None where it has none."""
    kind, _ = _bare(kind)
    options = choices(kind)
    if options is not None:
        return inside(options[0], step) if len(options) == 1 else None
    if isinstance(step, str) and step in (own := fields(kind)):
        return own[step]
    args = get_args(kind)
    if get_origin(kind) is dict and isinstance(step, str):
        return args[1]
    if get_origin(kind) is tuple and isinstance(step, int):
        return args[0 if args[-1] is Ellipsis else min(step, len(args) - 1)]
    return None


def takes_text(kind: Any) -> bool:  # noqa: ANN401
    """Whether nothing but a text will do."""
    return _bare(kind)[0] in {str, Path}


def values(kind: Any) -> tuple[str, ...]:  # noqa: ANN401
    """The words that may be chosen from, where it is a choice of words."""
    kind, _ = _bare(kind)
    found = [value for option in choices(kind) or () for value in values(option)]
    if get_origin(kind) is Literal:
        found += [str(value) for value in get_args(kind)]
    elif isinstance(kind, type) and issubclass(kind, Enum):
        found += [str(member.value) for member in kind]
    return tuple(found)


def words(kind: Any, *, finite: bool = False) -> tuple[str, ...]:  # noqa: ANN401
    """What it may be: one phrase for each alternative. finite: say that numbers have to be."""
    kind, limits = _bare(kind)
    options = choices(kind)
    if options is not None:
        return tuple(phrase for option in options for phrase in words(option, finite=finite))
    if named := values(kind):
        return tuple(f"'{value}'" for value in named)
    if kind in {int, float}:
        what = "whole " if kind is int else "finite " if finite else ""
        return (f"a {what}number{_span(limits, whole=kind is int)}",)
    if kind is str:
        return (_text(limits),)
    if get_origin(kind) in {tuple, list}:
        return (_list(get_args(kind)),)
    return _SIMPLE.get(kind, ("a table of keys under a [heading]",))


def _bare(kind: Any) -> tuple[Any, tuple[Any, ...]]:  # noqa: ANN401
    """A type without what is annotated to it, and that."""
    found: list[Any] = []
    while get_origin(kind) is Annotated:
        kind, *more = get_args(kind)
        for item in more:
            found += item.metadata if isinstance(item, FieldInfo) else [item]
    return kind, tuple(found)


def _limit(limits: tuple[Any, ...], name: str) -> float | None:
    found = [getattr(item, name) for item in limits if getattr(item, name, None) is not None]
    return found[-1] if found else None


def _span(limits: tuple[Any, ...], *, whole: bool) -> str:
    """The limits of a number: "from 0 to 65535", "above 0 and at most 100", or nothing."""
    least, above = _limit(limits, "ge"), _limit(limits, "gt")
    most, below = _limit(limits, "le"), _limit(limits, "lt")
    if whole and above is not None:
        least, above = above + 1, None
    if least is not None and most is not None:
        return f" from {_plain(least)} to {_plain(most)}"
    if whole and least is not None:
        return f" of at least {_plain(least)}"
    named = {"at least": least, "above": above, "at most": most, "below": below}
    found = [f"{what} {_plain(limit)}" for what, limit in named.items() if limit is not None]
    return f" {' and '.join(found)}" if found else ""


def _plain(number: float) -> str:
    return f"{number:.0f}" if float(number).is_integer() else f"{number:g}"


def _text(limits: tuple[Any, ...]) -> str:
    pattern = next((item.pattern for item in limits if getattr(item, "pattern", None)), "")
    pattern = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
    if _COLOUR in pattern:
        return "a colour as '#1f2fbf'"
    if _KEY in pattern:
        return "a key: small letters, digits and _, 32 at most"
    return "a text in quotation marks"


def _list(kinds: tuple[Any, ...]) -> str:
    """What a list has to hold, where its length is fixed."""
    if not kinds or kinds[-1] is Ellipsis:
        return "a list"
    entries = [" or ".join(words(kind)) for kind in kinds]
    if len(entries) == 1:
        return f"a list of one entry, {entries[0]}"
    if len(set(entries)) == 1:
        return f"a list of {len(entries)} entries, each {entries[0]}"
    return f"a list of {' and '.join(entries)}"
