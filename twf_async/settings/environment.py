"""The environment's share of the configuration: `TWF_SECTION__KEY=value` beats the files.

Also systemd's directories: what StateDirectory= and CacheDirectory= made for the unit.
"""

import difflib
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twf_async.settings import allowed

PREFIX = "TWF_"
NOT_SETTINGS = {"TWF_CONFIG", "TWF_TEST_DATA", "TWF_CHROMIUM", "TWF_GOLDEN"}
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What one variable sets: raw is its text, value the TOML that it is, else the text."""

    variable: str
    raw: str
    value: object


def overrides(environ: Mapping[str, str]) -> dict[Path, Change]:
    """What the environment sets, by the path of its keys."""
    found: dict[Path, Change] = {}
    if "STATE_DIRECTORY" in environ:
        state = environ["STATE_DIRECTORY"].split(":")[0]
        found[("state_dir",)] = Change("STATE_DIRECTORY", state, state)
        # Published maps must outlive the cache, so they lie with the state.
        publish = f"{state}/publish"
        found[("publish_dir",)] = Change("STATE_DIRECTORY", publish, publish)
    if "CACHE_DIRECTORY" in environ:
        cache = environ["CACHE_DIRECTORY"].split(":")[0]
        found[("cache_dir",)] = Change("CACHE_DIRECTORY", cache, cache)
    for variable, raw in sorted(environ.items()):
        if variable.startswith(PREFIX) and variable not in NOT_SETTINGS:
            path = tuple(variable.removeprefix(PREFIX).lower().split("__"))
            found[path] = Change(variable, raw, _literal(raw))
    return found


def fitting(
    changes: Mapping[Path, Change], kinds: Mapping[str, Any]
) -> tuple[dict[Path, Change], list[Change]]:
    """Those of the changes that set what there is, and the others.

    kinds  the types of the settings by their first key. What wants a text takes the variable's own.
    """
    known: dict[Path, Change] = {}
    unknown: list[Change] = []
    for path, change in changes.items():
        kind = kinds.get(path[0])
        for key in path[1:]:
            kind = allowed.inside(kind, key)
        if kind is None:
            unknown.append(change)
        elif allowed.takes_text(kind) and not isinstance(change.value, str):
            known[path] = Change(change.variable, change.raw, change.raw)
        else:
            known[path] = change
    return known, unknown


def unknown_variable(
    variable: str, kinds: Mapping[str, Any], entries: Mapping[str, Collection[str]]
) -> str:
    """The sentence for a variable that sets nothing there is, with the one that was meant.

    entries  the keys of the files that are tables of named entries
    """
    names = {
        PREFIX + "__".join(path).upper()
        for key, kind in kinds.items()
        for path in _paths(key, kind, entries)
    }
    spelt = variable.replace("__", "_")
    alike = [name for name in names if name.replace("__", "_") == spelt]
    last = "__" + variable.removeprefix(PREFIX).rpartition("__")[2]
    alike = alike or [name for name in names if name.endswith(last)]
    near = (
        alike[0]
        if len(alike) == 1
        else next(iter(difflib.get_close_matches(variable, names, 1)), "")
    )
    said = f"environment variable {variable}: there is no such setting"
    if near:
        return f"{said}; did you mean {near}?"
    return f"{said}; the names are TWF_SECTION__KEY, of the sections and keys of the files"


def _paths(key: str, kind: Any, entries: Mapping[str, Collection[str]]) -> Iterator[Path]:  # noqa: ANN401
    """The paths of one first key's settings."""
    own = allowed.fields(kind)
    if key in entries:
        of_entry = allowed.fields(allowed.inside(kind, ""))
        yield from ((key, entry, name) for entry in entries[key] for name in of_entry)
    elif own:
        yield from ((key, name) for name in own)
    else:
        yield (key,)


def apply(tree: dict[str, Any], changes: Mapping[Path, Change]) -> None:
    """Write the changes into the nested tables of *tree*.

    Where a file has something else in place of a table it is left: that is the file's fault.
    """
    for path, change in changes.items():
        node: Any = tree
        for name in path[:-1]:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                break
        else:
            node[path[-1]] = change.value


def _literal(raw: str) -> object:
    """A TOML value if it is one, else the text itself."""
    try:
        document = tomllib.loads(f"value = {raw}")
    except tomllib.TOMLDecodeError:
        return raw
    return document["value"] if len(document) == 1 else raw
