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

from render_farm.domain.catalog import Product, Scale, Style
from render_farm.domain.models import Model
from render_farm.domain.places import Region, Station
from twf_async.errors import BadConfiguration
from twf_async.settings import environment, references, wording
from twf_async.settings.catalog import Catalog
from twf_async.settings.references import Described
from twf_async.settings.service import ServiceSettings

T = TypeVar("T", bound=BaseModel)
ENTRIES: dict[str, type[BaseModel]] = {  # files that are tables of named entries
    "models": Model,
    "regions": Region,
    "products": Product,
    "scales": Scale,
}
KEYED_FILES = tuple(ENTRIES)
CATALOG_FILES = (*KEYED_FILES, "stations", "style")
OPTIONAL_FILES = {"service", "stations", "style"}
ETC = Path("/etc/twf-async")
UNIT_STATE_DIR = Path("/var/lib/twf-async")  # StateDirectory= of systemd/twf-async.service


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration; replaced as one object by a reload."""

    service: ServiceSettings
    catalog: Catalog
    config_dir: Path


def find_config_dir(given: str | None, environ: Mapping[str, str]) -> Path:
    """`--config`, else $TWF_CONFIG, else ./config, else /etc/twf-async."""
    named = given or environ.get("TWF_CONFIG")
    candidates = [Path(named)] if named else [Path("config"), ETC]
    for candidate in candidates:
        if (candidate / "models.toml").is_file():
            return candidate
    tried = " or ".join(str(candidate) for candidate in candidates)
    raise BadConfiguration(
        f"no configuration in {tried} (models.toml is not there);"
        " name its directory with --config or TWF_CONFIG"
    )


def find_state_dir(config_dir: Path, environ: Mapping[str, str]) -> Path:
    """Where the service of this configuration keeps its state, whatever else is wrong with it.

    Under systemd its unit says where; so does a file in /etc that names no place of its own.
    """
    service = _read(config_dir / "service.toml")
    changes = environment.overrides(environ)
    environment.apply(service, {k: v for k, v in changes.items() if k == ("state_dir",)})
    place = Path(str(service.get("state_dir", ServiceSettings.model_fields["state_dir"].default)))
    return UNIT_STATE_DIR if config_dir == ETC and not place.is_absolute() else place


def load(config_dir: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read, merge and validate; BadConfiguration names every fault found, one a line."""
    documents = {name: _read(config_dir / f"{name}.toml") for name in ("service", *CATALOG_FILES)}
    documents["stations"] = {"stations": documents["stations"].get("stations", [])}
    catalog: dict[str, Any] = {name: documents[name] for name in (*KEYED_FILES, "style")}
    catalog |= documents["stations"]
    changes = environment.overrides(environ)
    described = {file: set(catalog[file]) for file in ENTRIES}
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
    told = _Teller(config_dir, variables)
    for file in ENTRIES:
        faults += _lost(file, catalog[file], described[file], variables)
    whole_service = _service(service, told, faults)
    whole_catalog = _catalog(catalog, told, faults)
    if faults or whole_service is None or whole_catalog is None:
        raise BadConfiguration("\n".join(faults))
    return Settings(whole_service, whole_catalog, config_dir)


def _lost(
    file: str,
    entries: dict[str, Any],
    described: set[str],
    variables: Mapping[tuple[str, ...], str],
) -> list[str]:
    """Faults of variables for entries that no file has and that they do not describe in full.

    Such an entry is taken out again: what it lacks is no fault of the file.
    """
    found = []
    for path, variable in variables.items():
        if path[0] != file or len(path) < 2 or path[1] in described:
            continue
        try:
            ENTRIES[file].model_validate(entries.get(path[1]))
        except ValidationError:
            told = references.unknown("", path[1], described)
            found.append(f"environment variable {variable}: in {file}.toml {told}")
    for path in variables:
        if found and path[0] == file and path[1:2] and path[1] not in described:
            entries.pop(path[1], None)
    return found


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


@dataclass(frozen=True, slots=True)
class _Teller:
    """Says where a fault is: file and key, or the variable that set it."""

    config_dir: Path
    variables: Mapping[tuple[str, ...], str]

    def __call__(
        self, file: str, above: tuple[str, ...], fault: ErrorDetails, kind: type[BaseModel]
    ) -> str:
        """One sentence. *above*: keys that lead to the table that was validated as *kind*."""
        message = wording.message(fault, kind)
        keys = (*above, *wording.key_path(fault, kind))
        path = keys if file == "service" else (file, *keys)
        if path in self.variables:
            return f"environment variable {self.variables[path]}: {message}"
        return f"{self.config_dir / file}.toml: {'.'.join(keys) or file}: {message}"


def _service(document: dict[str, Any], told: _Teller, faults: list[str]) -> ServiceSettings | None:
    return _validated(ServiceSettings, document, "service", (), told, faults)


def _catalog(document: dict[str, Any], told: _Teller, faults: list[str]) -> Catalog | None:
    """The catalog; entry by entry, so that one mistake hides no other."""
    before = len(faults)
    read: dict[str, dict[str, Any]] = {}
    for file, kind in ENTRIES.items():
        read[file] = {}
        for key, entry in document[file].items():
            found = _validated(kind, entry, file, (key,), told, faults)
            if found is not None:
                read[file][key] = found
    stations = []
    for number, entry in enumerate(document["stations"], 1):
        name = entry.get("name", "") if isinstance(entry, dict) else ""
        where = f"{number} ({name})" if name else str(number)
        found = _validated(Station, entry, "stations", (where,), told, faults)
        stations.append(found)
    style = _validated(Style, document["style"], "style", (), told, faults)
    keys = {file: document[file].keys() for file in ENTRIES}
    described = Described(**read, keys=keys)
    faults += [f"{told.config_dir}/{line}" for line in references.faults(described)]
    if len(faults) > before:
        return None
    return Catalog(**read, stations=stations, style=style)


def _validated(
    kind: type[T],
    data: object,
    file: str,
    above: tuple[str, ...],
    told: _Teller,
    faults: list[str],
) -> T | None:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        lines = (told(file, above, fault, kind) for fault in error.errors())
        faults += dict.fromkeys(lines)  # a choice is told once for each of its branches
        return None
