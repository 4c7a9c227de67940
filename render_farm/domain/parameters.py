"""GRIB2 parameter numbers and the abbreviations that NCEP and wgrib2 use for them.

The table is data (`parameters.toml`); this module only looks things up. A parameter that the
table lacks is no error: it gets the text that wgrib2 prints for it, so its messages can still be
counted, skipped and compared with an idx.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

NCEP = 7  # originating centre, common code table C-11
_FIRST_LOCAL = 192


@dataclass(frozen=True, slots=True)
class Code:
    """Where a parameter stands in GRIB2 code table 4.2."""

    discipline: int
    category: int
    number: int

    @property
    def local(self) -> bool:
        """Whether the originating centre, not WMO, says what it means."""
        return max(self.discipline, self.category, self.number) >= _FIRST_LOCAL


@dataclass(frozen=True, slots=True)
class Parameter:
    """One quantity.

    codes  the number that NCEP's models write first, then others with the same meaning
    unit   of the values in the message ("kg m-2")
    standard_name  of the CF conventions, "" where there is none
    """

    abbreviation: str
    codes: tuple[Code, ...]
    unit: str
    name: str
    standard_name: str = ""


@cache
def parameters() -> dict[str, Parameter]:
    """The whole table by abbreviation, read once."""
    table = tomllib.loads(files(__package__).joinpath("parameters.toml").read_text("utf-8"))
    return {
        abbreviation: Parameter(
            abbreviation,
            tuple(Code(*map(int, code.split("."))) for code in entry["codes"]),
            entry["unit"],
            entry["name"],
            entry.get("cf", ""),
        )
        for abbreviation, entry in table.items()
    }


def parameter(abbreviation: str) -> Parameter | None:
    """The parameter of this abbreviation, None where the table does not know it."""
    return parameters().get(abbreviation)


@cache
def _abbreviations() -> dict[Code, str]:
    return {code: p.abbreviation for p in parameters().values() for code in p.codes}


def abbreviation(code: Code, *, center: int, master_table: int, local_table: int) -> str:
    """What wgrib2 calls a parameter: "TMP", or "var discipline=..." where nobody named it.

    Local numbers of other centres than NCEP mean something else and stay unnamed.
    """
    known = _abbreviations().get(code)
    if known is not None and (center == NCEP or not code.local):
        return known
    where = (
        f"center={center} local_table={local_table}"
        if code.local
        else f"master_table={master_table}"
    )
    return f"var discipline={code.discipline} {where} parmcat={code.category} parm={code.number}"
