"""Where the configuration lies, and its files as they are: TOML, or one plain sentence why not."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twf_async.errors import BadConfiguration
from twf_async.settings import environment
from twf_async.settings.service import ServiceSettings

ETC = Path("/etc/twf-async")
UNIT_STATE_DIR = Path("/var/lib/twf-async")  # StateDirectory= of systemd/twf-async.service
OPTIONAL_FILES = {"service", "stations", "style"}
_PLACE = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)")
_MARK = "\ufeff"  # which editors put before UTF-8, and TOML does not know
_QUOTED = "is no TOML: numbers, true and false stand as they are, all else in quotation marks"
_MEANT = {  # what the parser says, and what is the matter with the line
    "Cannot overwrite a value": "sets a key that is set already",
    "Cannot declare": "begins a table that is there already",
    "Cannot mutate immutable namespace": "adds to a table that is there already",
    "Expected newline or end of document after a statement": _QUOTED,
    "Invalid value": _QUOTED,
    "Expected '=' after a key in a key/value pair": "has no '='",
    "Unclosed array": "has no ']', or no comma between two values",
    "Unclosed inline table": "has no '}', or no comma between two values",
    "Invalid statement": "is neither KEY = VALUE nor [SECTION]",
}


def find_config_dir(given: str | None, environ: Mapping[str, str]) -> Path:
    """`--config`, else $TWF_CONFIG, else ./config, else /etc/twf-async."""
    named = given or environ.get("TWF_CONFIG")
    candidates = [Path(named)] if named else [Path("config"), ETC]
    for candidate in candidates:
        if _is_there(candidate / "models.toml"):
            return candidate
    tried = " or ".join(str(candidate.absolute()) for candidate in candidates)
    raise BadConfiguration(
        f"no configuration in {tried} (models.toml is not there);"
        " name its directory with --config or TWF_CONFIG"
    )


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError as error:
        raise BadConfiguration(_unreadable(file, error)) from error


def _unreadable(file: Path, error: OSError) -> str:
    mend = f"; let user {os.geteuid()} read it" if isinstance(error, PermissionError) else ""
    return f"{file}: cannot be read: {error.strerror}{mend}"


def find_state_dir(config_dir: Path, environ: Mapping[str, str]) -> Path:
    """Where the service of this configuration keeps its state, whatever else is wrong with it.

    Under systemd its unit says where; so does a file in /etc that names no place of its own.
    """
    service = read(config_dir / "service.toml")
    if (change := environment.overrides(environ).get(("state_dir",))) is not None:
        service["state_dir"] = change.raw
    place = Path(str(service.get("state_dir", ServiceSettings.model_fields["state_dir"].default)))
    return UNIT_STATE_DIR if config_dir == ETC and not place.is_absolute() else place


def read(path: Path) -> dict[str, Any]:
    """A file's document; empty where it may be missing and is. BadConfiguration."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8").removeprefix(_MARK)
        return tomllib.loads(text)
    except FileNotFoundError:
        if path.stem in OPTIONAL_FILES:
            return {}
        raise BadConfiguration(f"{path}: the file is missing") from None
    except UnicodeDecodeError as error:
        raise BadConfiguration(
            f"{path}: cannot be read: byte {error.start + 1} is not UTF-8; save it as UTF-8"
        ) from error
    except OSError as error:
        raise BadConfiguration(_unreadable(path, error)) from error
    except tomllib.TOMLDecodeError as error:
        raise BadConfiguration(f"{path}: {not_toml(error, text)}") from error


def not_toml(error: tomllib.TOMLDecodeError, text: str) -> str:
    """What is wrong with a text that is no TOML, and where."""
    match = _PLACE.fullmatch(str(error))
    if match is None:
        return f"not valid TOML: {error}"
    lines = text.splitlines()
    number = int(match["line"]) if match["line"] else len(lines)
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    if line.startswith("[") and "]" not in line:  # the parser tells of what it holds so far
        return f"not valid TOML: line {number}, {line!r}, has no ']'"
    meant = (mend for words, mend in _MEANT.items() if match["what"].startswith(words))
    if (mend := next(meant, None)) is not None and line:
        return f"not valid TOML: line {number}, {line!r}, {mend}"
    return f"not valid TOML: line {number}, {line!r}: {match['what']}"
