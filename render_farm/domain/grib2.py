"""The sections of GRIB2 messages, walked without decoding a value. Standard library only.

The service proves downloads complete with it (a stream that is cut anywhere, or is not GRIB at
all, never passes); the decoder finds the offsets of messages by exact key. Values, packing and
projections are not its business.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple

from render_farm.domain import gribstream
from render_farm.domain.fields import MessageKey
from render_farm.domain.gribstream import (
    BadEnd,
    BadSection,
    GribError,
    NotGrib,
    Truncated,
    UnsupportedEdition,
)
from render_farm.domain.gridhead import GridHead, parse_grid
from render_farm.domain.product_definition import ProductDefinition, parse_product_definition

__all__ = [
    "BadEnd",
    "BadSection",
    "GribError",
    "GridHead",
    "MessageHead",
    "NotGrib",
    "Truncated",
    "UnsupportedEdition",
    "field_bytes",
    "walk",
]

_DATA = 7
_BITMAP = 6
# Sections that say nothing to us, and of which we need but the beginning: they may be as long as
# the data.
_PASSED_OVER = {2: 0, _BITMAP: 1, _DATA: 0}
_LONGEST = 1 << 20  # bytes of any other section; real ones have hundreds
_MOST_PARTS = 10_000  # of one message; real ones have two
_SAME_BITMAP = 254  # code table 6.0
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MessageHead:
    """One field of one message.

    offset, length  of the whole message in the stream, bytes
    part, parts     which field of the message it is, from 1, and how many there are
    key   exact name of the field; None where a `MessageKey` cannot say it (see
          `ProductDefinition`), then only `text` does
    values  number of packed values (points that are not missing)
    packing   data representation template (0 simple, 3 complex with spatial differencing)
    sections  (offset, bytes) of the sections that make up this field, in order, 1 to 7
    """

    offset: int
    length: int
    part: int
    parts: int
    key: MessageKey | None
    text: str
    reference: datetime
    center: int
    grid: GridHead
    product: ProductDefinition
    values: int
    packing: int
    sections: tuple[tuple[int, int], ...]

    @property
    def cycle(self) -> str:
        """The reference time as we name cycles: "2026012912"."""
        return f"{self.reference:%Y%m%d%H}"


class _Field(NamedTuple):
    product: ProductDefinition
    grid: GridHead
    values: int
    packing: int
    sections: tuple[tuple[int, int], ...]


def walk(stream: BinaryIO) -> Iterator[MessageHead]:
    """Every field of a stream of GRIB2 messages, in order, from where the stream stands.

    Messages must follow one another without a gap up to the end of the stream. The heads of a
    message come only after all of it was seen, its closing `7777` included; so whoever consumes
    the iterator to its end knows that the stream is whole.

    raises  GribError: `NotGrib` (an empty stream too), `Truncated`, `BadEnd`, `BadSection`,
            `UnsupportedEdition`; OSError as the stream raises it
    """
    offset = 0
    while True:
        indicator = gribstream.read_indicator(stream, offset)
        if indicator is None:
            return
        discipline, length = indicator
        message = _Message(stream, offset, length, discipline)
        message.read()
        yield from message.heads()
        offset += length


def field_bytes(stream: BinaryIO, head: MessageHead) -> bytes:
    """One field as a message of its own, whatever it shares a message with.

    stream   seekable; the one that was walked, from its beginning

    Decoders see but the first field of such a message unless a global, thread-unsafe switch is
    set; so the sections that belong to the field are put together here.
    """
    parts = []
    for offset, size in head.sections:
        stream.seek(offset)
        parts.append(gribstream.exactly(stream, size, head.offset))
    return gribstream.frame(head.product.code.discipline, b"".join(parts))


class _Message:
    """Reads the sections of one message, keeping what each field of it consists of."""

    def __init__(self, stream: BinaryIO, offset: int, length: int, discipline: int) -> None:
        self._stream, self._offset, self._length = stream, offset, length
        self._discipline = discipline
        self._center = self._master = self._local = 0
        self._reference = _NEVER  # section 1 comes first, or the message is refused
        self._grid: GridHead | None = None
        self._product: ProductDefinition | None = None
        self._values = self._packing = 0
        self._spans: dict[int, tuple[int, int]] = {}
        self._bitmap: tuple[int, int] | None = None
        self._fields: list[_Field] = []

    def read(self) -> None:
        """Consume the message up to and including its `7777`; raises GribError."""
        at = self._offset + gribstream.INDICATOR_BYTES
        left = self._length - gribstream.FRAME_BYTES
        previous = 0
        while left:
            size, number = gribstream.section_head(self._stream, left, previous, self._offset)
            self._spans[number] = at, size
            self._read_section(number, size)
            previous = number
            at += size
            left -= size
        gribstream.close(self._stream, previous, self._offset, self._length)

    def _read_section(self, number: int, size: int) -> None:
        body_size = size - gribstream.HEAD_BYTES
        wanted = min(_PASSED_OVER.get(number, body_size), body_size)
        if wanted > _LONGEST:
            raise BadSection(
                f"section {number} claims {size} bytes in the message at byte {self._offset}",
                offset=self._offset,
            )
        body = gribstream.exactly(self._stream, wanted, self._offset)
        gribstream.skip(self._stream, body_size - wanted, self._offset)
        self._take(number, size.to_bytes(4) + bytes([number]) + body)

    def heads(self) -> Iterator[MessageHead]:
        """The fields of the message, once it is read."""
        for part, field in enumerate(self._fields, 1):
            yield MessageHead(
                self._offset,
                self._length,
                part,
                len(self._fields),
                field.product.key,
                field.product.text,
                self._reference,
                self._center,
                field.grid,
                field.product,
                field.values,
                field.packing,
                field.sections,
            )

    def _take(self, number: int, section: bytes) -> None:
        try:
            match number:
                case 1:
                    self._identify(section)
                case 3:
                    self._grid = parse_grid(section)
                case 4:
                    self._product = parse_product_definition(
                        section,
                        discipline=self._discipline,
                        center=self._center,
                        master_table=self._master,
                        local_table=self._local,
                    )
                case 5:
                    self._values, self._packing = struct.unpack_from(">IH", section, 5)
                case 6:
                    self._choose_bitmap(section)
                case 7:
                    self._finish_field()
        except (ValueError, IndexError, struct.error) as error:
            raise BadSection(
                f"section {number} of the message at byte {self._offset} is damaged: {error}",
                offset=self._offset,
            ) from error

    def _identify(self, section: bytes) -> None:
        center, _, master, local, _, year, month, day, hour, minute, second = struct.unpack_from(
            ">HHBBBHBBBBB", section, 5
        )
        self._center, self._master, self._local = center, master, local
        self._reference = datetime(year, month, day, hour, minute, second, tzinfo=UTC)

    def _choose_bitmap(self, section: bytes) -> None:
        if section[5] != _SAME_BITMAP:
            self._bitmap = self._spans[6]
        elif self._bitmap is None:
            raise ValueError("it refers to an earlier bitmap, and there is none")

    def _finish_field(self) -> None:
        if self._grid is None or self._product is None or self._bitmap is None:
            raise ValueError("its values come before it says of what")
        if len(self._fields) == _MOST_PARTS:
            raise ValueError(f"it is the {_MOST_PARTS + 1}th of its message")
        spans = self._spans | {6: self._bitmap}
        sections = tuple(spans[number] for number in sorted(spans))
        self._fields.append(
            _Field(self._product, self._grid, self._values, self._packing, sections)
        )
