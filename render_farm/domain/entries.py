"""What every table of the operator's TOML is made of: keys, texts, colours, and nothing unknown."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

KEY = re.compile(r"^[a-z0-9][a-z0-9_]{0,31}\Z")  # in URLs, file names and logs for ever
# Of Unicode: controls, halves of characters, ends of lines and of paragraphs, what means nothing.
# str.isprintable() would refuse a space that does not break as well.
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp", "Co", "Cn"}


def one_line(value: str) -> str:
    """The text itself, if every character of it can be printed; ValueError."""
    if any(unicodedata.category(character) in _UNPRINTABLE for character in value):
        raise ValueError(f"{value!r} has characters that cannot be printed; write it on one line")
    return value


def _not_empty(value: str) -> str:
    if not value.strip():
        raise ValueError("it is empty; write what people shall read")
    return value


Key = Annotated[str, Field(pattern=KEY)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Line = Annotated[str, AfterValidator(one_line)]  # drawn on maps, or sent as a header
Title = Annotated[Line, AfterValidator(_not_empty)]


class Frozen(BaseModel):
    """Immutable; an unknown key is an error, and so is a number that is not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
