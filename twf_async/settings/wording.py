"""Faults that pydantic finds, in words for an operator: the key, what is wrong, what was meant."""

import difflib
import typing
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic_core import ErrorDetails

_COLOUR = "#[0-9a-fA-F]{6}"


def key_path(fault: ErrorDetails, kind: type[BaseModel]) -> tuple[str, ...]:
    """Where a fault is, in the keys of the TOML alone: elements of lists count from 1.

    pydantic also names the branches of a choice ("tuple[float, float]"); those are no keys.
    """
    found: list[str] = []
    for part in fault["loc"]:
        if isinstance(part, int):
            found.append(str(part + 1))
        elif part.isidentifier() or part in _names(kind):
            found.append(part)
    return tuple(found)


def message(fault: ErrorDetails, kind: type[BaseModel]) -> str:
    """What is wrong, with the value as it was given where it is short."""
    given = fault["input"]
    if fault["type"] == "extra_forbidden":
        name = str(fault["loc"][-1])
        near = difflib.get_close_matches(name, _keys_at(fault["loc"][:-1], kind), n=1)
        return "unknown key; " + (
            f"did you mean {near[0]!r}?" if near else "check the spelling or remove it"
        )
    text = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "missing":
        return "it is missing"
    if fault["type"] == "string_pattern_mismatch":
        if _COLOUR in str(fault.get("ctx", {}).get("pattern")):
            return f"{given!r} is no colour; write it as '#1f2fbf'"
        return f"{given!r} is no key: small letters, digits and _, 32 at most"
    if isinstance(given, str | int | float) and fault["type"] != "value_error":
        if fault["type"] == "literal_error" and isinstance(given, str):
            near = difflib.get_close_matches(given, _choices(fault), n=1)
            text += f"; did you mean {near[0]!r}?" if near else ""
        text += f" (it is {given!r})"
    return text


def _choices(fault: ErrorDetails) -> list[str]:
    expected = str(fault.get("ctx", {}).get("expected", ""))
    return [part.strip(" '") for part in expected.replace(" or ", ",").split(",")]


def _keys_at(loc: tuple[int | str, ...], kind: type[BaseModel]) -> list[str]:
    """The keys that the table at *loc* may have; those of every table below it if that is lost."""
    for part in loc:
        field = kind.model_fields.get(part) if isinstance(part, str) else None
        inner = next(_models_in(field.annotation), None) if field is not None else None
        kind = inner or kind
    return list(kind.model_fields)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models_in(part)


def _names(kind: type[BaseModel]) -> frozenset[str]:
    return frozenset(kind.model_fields)
