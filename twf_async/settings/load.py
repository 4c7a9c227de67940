"""Reads config/*.toml and the environment into one frozen `Settings`. Nothing else reads either.

A file's value, then the environment's. Every fault is told, one a line, with the file (or the
variable) and the key.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from twf_async.errors import BadConfiguration
from twf_async.settings import environment
from twf_async.settings.catalog import Catalog
from twf_async.settings.service import ServiceSettings

T = TypeVar("T", bound=BaseModel)
KEYED_FILES = ("models", "regions", "products", "scales")  # tables of named entries
CATALOG_FILES = (*KEYED_FILES, "stations", "style")
OPTIONAL_FILES = {"service", "stations", "style"}


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration; replaced as one object by a reload."""

    service: ServiceSettings
    catalog: Catalog
    config_dir: Path


def find_config_dir(given: str | None, environ: Mapping[str, str]) -> Path:
    """`--config`, else $TWF_CONFIG, else ./config, else /etc/twf-async."""
    named = given or environ.get("TWF_CONFIG")
    candidates = [Path(named)] if named else [Path("config"), Path("/etc/twf-async")]
    for candidate in candidates:
        if (candidate / "models.toml").is_file():
            return candidate
    tried = " or ".join(str(candidate) for candidate in candidates)
    raise BadConfiguration(
        f"no configuration in {tried} (models.toml is not there);"
        " name its directory with --config or TWF_CONFIG"
    )


def load(config_dir: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read, merge and validate; BadConfiguration names every fault found, one a line."""
    documents = {name: _read(config_dir / f"{name}.toml") for name in ("service", *CATALOG_FILES)}
    documents["stations"] = {"stations": documents["stations"].get("stations", [])}
    catalog: dict[str, Any] = {name: documents[name] for name in (*KEYED_FILES, "style")}
    catalog |= documents["stations"]
    changes = environment.overrides(environ)
    environment.apply(catalog, {k: v for k, v in changes.items() if k[0] in catalog})
    service = documents["service"]
    environment.apply(service, {k: v for k, v in changes.items() if k[0] not in catalog})
    upstream = service.get("upstream", {})
    if "nomads_url" in upstream and "aws_url" not in upstream:
        upstream["aws_url"] = ""  # a rehearsal must not reach the real mirror
    for name in KEYED_FILES:
        for key, entry in catalog[name].items():
            if isinstance(entry, dict):
                entry.setdefault("key", key)
    faults: list[str] = []
    variables = {path: variable for path, (variable, _) in changes.items()}
    whole_service = _validated(ServiceSettings, service, config_dir, variables, faults)
    whole_catalog = _validated(Catalog, catalog, config_dir, variables, faults)
    if whole_service is None or whole_catalog is None:
        raise BadConfiguration("\n".join(faults))
    return Settings(whole_service, whole_catalog, config_dir)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if path.stem in OPTIONAL_FILES:
            return {}
        raise BadConfiguration(f"{path}: the file is missing") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise BadConfiguration(f"{path}: not valid TOML: {error}") from error


def _validated(
    kind: type[T],
    data: dict[str, Any],
    config_dir: Path,
    variables: Mapping[tuple[str, ...], str],
    faults: list[str],
) -> T | None:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        in_catalog = issubclass(kind, Catalog)
        faults += [
            _told(fault, config_dir, variables, in_catalog=in_catalog) for fault in error.errors()
        ]
        return None


def _told(
    fault: ErrorDetails,
    config_dir: Path,
    variables: Mapping[tuple[str, ...], str],
    *,
    in_catalog: bool,
) -> str:
    keys = tuple(str(part) for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        message = "unknown key; check the spelling or remove it"
    given = fault["input"]
    if isinstance(given, str | int | float) and fault["type"] != "value_error":
        message += f" (it is {given!r})"
    if keys in variables:
        return f"environment variable {variables[keys]}: {message}"
    if not keys:  # a cross-check of the catalog, which names its place itself
        return "\n".join(f"{config_dir}/{line}" for line in message.splitlines())
    file, keys = (keys[0], keys[1:]) if in_catalog else ("service", keys)
    return f"{config_dir / file}.toml: {'.'.join(keys) or file}: {message}"
