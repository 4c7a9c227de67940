"""Reads config/*.toml and the environment into one frozen `Settings`. Nothing else reads either.

A file's value, then the environment's. Every fault is told, one a line, with the file (or the
variable) and the key.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from render_farm.domain.models import Model
from render_farm.domain.places import Region, Station
from render_farm.domain.products import Product
from render_farm.domain.scales import Scale
from render_farm.domain.style import Style
from twf_async.errors import BadConfiguration
from twf_async.settings import allowed, directories, environment, references, wording
from twf_async.settings.blame import Blame
from twf_async.settings.catalog import Catalog
from twf_async.settings.files import read
from twf_async.settings.references import Described
from twf_async.settings.service import ServiceSettings

T = TypeVar("T", bound=BaseModel)
ENTRIES: dict[str, type[BaseModel]] = {  # files that are tables of named entries
    "models": Model,
    "regions": Region,
    "products": Product,
    "scales": Scale,
}
KINDS: dict[str, Any] = {  # of all settings, by their first key
    **allowed.fields(ServiceSettings),
    **{file: dict[str, kind] for file, kind in ENTRIES.items()},  # type: ignore[valid-type]
    "style": Style,
    "stations": tuple[Station, ...],
}
KEYED_FILES = tuple(ENTRIES)
CATALOG_FILES = (*KEYED_FILES, "stations", "style")


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration; replaced as one object by a reload."""

    service: ServiceSettings
    catalog: Catalog
    config_dir: Path


def load(config_dir: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read, merge and validate; BadConfiguration names every fault found, one a line."""
    documents = {name: read(config_dir / f"{name}.toml") for name in ("service", *CATALOG_FILES)}
    described = {file: set(documents[file]) for file in ENTRIES}
    changes, strange = environment.fitting(environment.overrides(environ), KINDS)
    blame = Blame(config_dir, {path: change.variable for path, change in changes.items()})
    faults = [environment.unknown_variable(item.variable, KINDS, described) for item in strange]
    faults += _stations(documents, blame)
    service = documents.pop("service")
    environment.apply(service, {k: v for k, v in changes.items() if k[0] not in documents})
    environment.apply(documents, {k: v for k, v in changes.items() if k[0] in documents})
    upstream = service.get("upstream")
    if isinstance(upstream, dict) and "nomads_url" in upstream and "aws_url" not in upstream:
        upstream["aws_url"] = ""  # a rehearsal must not reach the real mirror
    for file in ENTRIES:
        faults += _named(file, documents, described[file], blame)
    whole_service = _validated(ServiceSettings, service, "service", (), blame, faults)
    if whole_service is not None:
        lost = directories.faults(whole_service)
        faults += [f"{blame('service', (key,))}: {told}" for key, told in lost]
    whole_catalog = _catalog(documents, described, blame, faults)
    if faults or whole_service is None or whole_catalog is None:
        raise BadConfiguration("\n".join(faults))
    return Settings(whole_service, whole_catalog, config_dir)


def _stations(documents: dict[str, Any], blame: Blame) -> list[str]:
    """Take the list out of its document; faults of what else there is."""
    document = documents["stations"]
    documents["stations"] = document.pop("stations", [])
    return [
        f"{blame('stations', (key,))}: unknown key; a station begins with [[stations]]"
        for key in document
    ]


def _named(file: str, documents: dict[str, Any], described: set[str], blame: Blame) -> list[str]:
    """Tell the entries of a file their keys; faults of what are none.

    An entry of a variable that no file has and that is not described in full is taken out again:
    what it lacks is no fault of the file.
    """
    entries = documents[file]
    if not isinstance(entries, dict):
        documents[file] = {}
        return [f"{blame(file, ())}: {wording.not_allowed(entries, KINDS[file])}"]
    faults = []
    for key, entry in entries.items():
        if not isinstance(entry, dict):
            continue
        if entry.setdefault("key", key) != key:  # two entries could share one, and its maps
            place = blame(file, (key, "key"))
            faults.append(
                f"{place}: {wording.shown(entry['key'])} is not its [{key}]; leave it out"
            )
            entry["key"] = key
    for key in entries.keys() - described:
        try:
            ENTRIES[file].model_validate(entries[key])
        except ValidationError:
            told = references.unknown("", key, described)
            variables = blame.variables_of((file, key))
            faults += [f"environment variable {name}: in {file}.toml {told}" for name in variables]
            del entries[key]
    return faults


def _catalog(
    documents: dict[str, Any], described: Mapping[str, set[str]], blame: Blame, faults: list[str]
) -> Catalog | None:
    """The catalog; entry by entry, so that one mistake hides no other."""
    found: dict[str, dict[str, Any]] = {}
    for file, kind in ENTRIES.items():
        found[file] = {}
        for key, entry in documents[file].items():
            whole = _validated(kind, entry, file, (key,), blame, faults)
            if whole is not None:
                found[file][key] = whole
    stations, listed = [], documents["stations"]
    if not isinstance(listed, list):
        told = wording.not_allowed(listed, KINDS["stations"])
        faults.append(f"{blame('stations', ())}: {told}; a station begins with [[stations]]")
        listed = []
    for number, entry in enumerate(listed, 1):
        name = entry.get("name", "") if isinstance(entry, dict) else ""
        where = f"{number} ({name})" if name else str(number)
        stations.append(_validated(Station, entry, "stations", (where,), blame, faults))
    style = _validated(Style, documents["style"], "style", (), blame, faults)
    keys = {file: documents[file].keys() | described[file] for file in ENTRIES}
    for line in references.faults(Described(**found, keys=keys)):
        file, _, rest = line.partition(".toml: ")
        place, _, message = rest.partition(": ")
        faults.append(f"{blame(file, tuple(place.split('.')))}: {message}")
    return None if faults else Catalog(**found, stations=stations, style=style)


def _validated(
    kind: type[T],
    data: object,
    file: str,
    above: tuple[str, ...],
    blame: Blame,
    faults: list[str],
) -> T | None:
    """*data* as *kind*; None, and one line for each fault, where it is not. above: its keys."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        lines = []
        for fault in error.errors():
            told = wording.told(fault, kind, data)
            lines.append(f"{blame(file, (*above, *told.keys))}: {told.message}")
        faults += dict.fromkeys(lines)  # a choice is told once for each of its branches
        return None
