"""A GRIB2 message as its sections, for rebuilding it around other values."""

import struct
from dataclasses import dataclass
from typing import Self

_END = b"7777"
_INDICATOR = 16  # octets of section 0
_SINGLE_FIELD = (1, 3, 4, 5, 6, 7)  # section 2 (local use) is optional


class NotOneField(ValueError):
    """The bytes are no GRIB2 message, or one with sub-messages."""


@dataclass(frozen=True, slots=True)
class Sections:
    """The sections of a message of one field, each with its length and number octets.

    number -> octets; sections 0 and 8 are implied.
    """

    discipline: int
    bodies: dict[int, bytes]

    @classmethod
    def of(cls, message: bytes) -> Self:
        """Take a message apart. NotOneField where it is none, cut, or holds more than one field."""
        if message[:4] != b"GRIB" or message[7:8] != b"\x02" or message[-4:] != _END:
            raise NotOneField("not a whole GRIB2 message")
        bodies: dict[int, bytes] = {}
        position = _INDICATOR
        while position < len(message) - len(_END):
            length, number = struct.unpack_from(">IB", message, position)
            if length < 5 or position + length > len(message) - len(_END) or number in bodies:
                raise NotOneField(f"section {number} at {position}: length {length} or repeated")
            bodies[number] = message[position : position + length]
            position += length
        if not set(_SINGLE_FIELD) <= bodies.keys():
            raise NotOneField("a section is missing")
        return cls(message[6], bodies)

    def replaced(self, changed: dict[int, bytes]) -> bytes:
        """Put the message together again with other bodies for some sections."""
        bodies = {**self.bodies, **changed}
        middle = b"".join(bodies[number] for number in sorted(bodies))
        total = _INDICATOR + len(middle) + len(_END)
        head = struct.pack(">4sHBBQ", b"GRIB", 0, self.discipline, 2, total)
        return head + middle + _END


def section(number: int, body: bytes) -> bytes:
    """Return *body* behind the five octets that every section begins with."""
    return struct.pack(">IB", len(body) + 5, number) + body


def signed(value: int, octets: int) -> bytes:
    """Encode an integer as GRIB does: sign in the top bit, then the magnitude."""
    top = 1 << (8 * octets - 1)
    return (abs(value) | (top if value < 0 else 0)).to_bytes(octets, "big")


def read_signed(octets: bytes) -> int:
    """Decode an integer with the sign in its top bit."""
    top = 1 << (8 * len(octets) - 1)
    raw = int.from_bytes(octets, "big")
    return -(raw & ~top) if raw & top else raw
