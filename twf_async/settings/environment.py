"""The environment's share of the configuration: `TWF_SECTION__KEY=value` beats the files.

Also systemd's directories: what StateDirectory= and CacheDirectory= made for the unit.
"""

import tomllib
from collections.abc import Mapping
from typing import Any

from twf_async.errors import BadConfiguration

PREFIX = "TWF_"
NOT_SETTINGS = {"TWF_CONFIG", "TWF_TEST_DATA", "TWF_CHROMIUM", "TWF_GOLDEN"}
Path = tuple[str, ...]


def overrides(environ: Mapping[str, str]) -> dict[Path, tuple[str, object]]:
    """What the environment sets: path of keys -> (variable, value)."""
    found: dict[Path, tuple[str, object]] = {}
    if "STATE_DIRECTORY" in environ:
        state = environ["STATE_DIRECTORY"].split(":")[0]
        found[("state_dir",)] = ("STATE_DIRECTORY", state)
        # Published maps must outlive the cache, so they lie with the state.
        found[("publish_dir",)] = ("STATE_DIRECTORY", f"{state}/publish")
    if "CACHE_DIRECTORY" in environ:
        cache = environ["CACHE_DIRECTORY"].split(":")[0]
        found[("cache_dir",)] = ("CACHE_DIRECTORY", cache)
    for variable, raw in sorted(environ.items()):
        if variable.startswith(PREFIX) and variable not in NOT_SETTINGS:
            path = tuple(variable.removeprefix(PREFIX).lower().split("__"))
            found[path] = (variable, _literal(raw))
    return found


def apply(tree: dict[str, Any], changes: Mapping[Path, tuple[str, object]]) -> None:
    """Write the changes into the nested tables of *tree*."""
    for path, (variable, value) in changes.items():
        node = tree
        for name in path[:-1]:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                raise BadConfiguration(
                    f"environment variable {variable}: {name!r} is not a section of the settings"
                )
        node[path[-1]] = value


def _literal(raw: str) -> object:
    """A TOML value if it is one, else the text itself."""
    try:
        document = tomllib.loads(f"value = {raw}")
    except tomllib.TOMLDecodeError:
        return raw
    return document["value"] if len(document) == 1 else raw
