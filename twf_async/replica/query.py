"""What a request to the grib filter asks for (nomads.md 2.1, 2.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from twf_async.replica.tree import CropBox, FileMessage

_BOUNDS = ("leftlon", "rightlon", "toplat", "bottomlat")


class BadQuery(ValueError):
    """The script stops with a message: 500."""


@dataclass(frozen=True, slots=True)
class Query:
    """One filter request.

    directory  below the script's tree, with its leading slash; "" to browse the tree
    file       "" to browse the directory
    variables, levels  names as in the inventory, blanks of levels as "_"; None: all of them
    box        None: no sub-region
    """

    directory: str
    file: str
    variables: frozenset[str] | None
    levels: frozenset[str] | None
    box: CropBox | None

    @property
    def browses(self) -> bool:
        """True where nothing is to be extracted: a page is wanted."""
        return not self.file or (self.variables == frozenset() and self.levels == frozenset())

    def chosen(self, messages: Iterable[FileMessage]) -> tuple[FileMessage, ...]:
        """Return the cross product of variables and levels, in file order, no message twice.

        Sub-messages ("3.1", "3.2") share an offset; the whole message comes once.
        """
        chosen = {
            message.offset: message
            for message in messages
            if (self.variables is None or message.parameter in self.variables)
            and (self.levels is None or message.level.replace(" ", "_") in self.levels)
        }
        return tuple(chosen.values())


def read_query(parameters: Mapping[str, str]) -> Query:
    """Read decoded query parameters. BadQuery for a path or bounds that cannot be meant."""
    directory, file = parameters.get("dir", "").rstrip("/"), parameters.get("file", "")
    if ".." in directory.split("/") or (directory and not directory.startswith("/")):
        raise BadQuery(f"bad directory: {directory}")
    if "/" in file or file == "..":
        raise BadQuery(f"bad file name: {file}")
    variables = None if "all_var" in parameters else _named("var_", parameters)
    levels = None if "all_lev" in parameters else _named("lev_", parameters)
    return Query(directory, file, variables, levels, _box(parameters))


def _named(prefix: str, parameters: Mapping[str, str]) -> frozenset[str]:
    # The official form escapes regex characters with a back-slash; most clients do not.
    return frozenset(
        name[len(prefix) :].replace("\\", "").replace(" ", "_")
        for name in parameters
        if name.startswith(prefix)
    )


def _box(parameters: Mapping[str, str]) -> CropBox | None:
    """Bounds crop with or without `subregion`; without any bound there is nothing to crop to."""
    texts = [parameters.get(name, "").strip() for name in _BOUNDS]
    if not any(texts):
        return None
    try:
        left, right, top, bottom = map(float, texts)
    except ValueError as error:
        raise BadQuery(f"bad sub-region: {', '.join(texts)}") from error
    try:
        return CropBox.of(left=left, right=right, bottom=bottom, top=top)
    except ValueError as error:
        raise BadQuery(str(error)) from error
