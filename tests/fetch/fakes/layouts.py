"""Files of the whole grammar of an idx (sub-messages, members, days, nameless parameters, doubled
fields), as GRIB and as text, and what can become of such a text on its way.

The `random.Random` that is handed in decides everything: a seed or hypothesis can drive it.
"""

import struct
from dataclasses import dataclass

from render_farm.domain.fields import MessageKey, Statistic
from tests.domain import gribsmith as smith
from tests.fetch.fakes.messages import CYCLE

GRID = (1440, 721)
POINTS = GRID[0] * GRID[1]


@dataclass(frozen=True)
class Kind:
    """One field as wgrib2 words it, as GRIB has it, and the key that both have; None: no key."""

    text: str
    product: bytes
    key: MessageKey | None


def _instant(parameter, level, product, hour=24):
    key = MessageKey(parameter, level, hour, hour, Statistic.INSTANT)
    return Kind(f"{parameter}:{level}:{hour} hour fcst", product, key)


def _total(start, end, text, statistic=Statistic.ACCUMULATION, number=8, parameter="APCP"):
    code = {Statistic.ACCUMULATION: 1, Statistic.AVERAGE: 0}[statistic]
    product = smith.interval(start, end - start, statistic=code, number=number)
    key = MessageKey(parameter, "surface", start, end, statistic)
    return Kind(f"{parameter}:surface:{text}", product, key)


NAMELESS = "var discipline=0 center=7 local_table=1 parmcat=16 parm=253"
KINDS = (
    _instant("TMP", "2 m above ground", smith.instant(0, 0, 24, kind=103, value=2)),
    _instant("TMP", "2 mb", smith.instant(0, 0, 24, kind=100, value=200)),
    _instant("TMP", "850 mb", smith.instant(0, 0, 24, kind=100, value=85000)),
    _instant("PRMSL", "mean sea level", smith.instant(3, 1, 24, kind=101, value=0)),
    _instant("UGRD", "10 m above ground", smith.instant(2, 2, 24, kind=103, value=10)),
    _instant("VGRD", "10 m above ground", smith.instant(2, 3, 24, kind=103, value=10)),
    _instant(NAMELESS, "surface", smith.instant(16, 253, 24, kind=1, value=0)),
    _total(18, 24, "18-24 hour acc fcst"),
    _total(0, 24, "0-1 day acc fcst"),
    _total(18, 24, "18-24 hour ave fcst", Statistic.AVERAGE, number=7, parameter="PRATE"),
    Kind(
        "TMP:surface:15 min fcst", smith.instant(0, 0, 15, kind=1, value=0, unit=0), None
    ),
)  # fmt: skip
KEYS = tuple(kind.key for kind in KINDS if kind.key is not None)


@dataclass(frozen=True)
class Message:
    """fields: what is in it, in order."""

    content: bytes
    fields: tuple[Kind, ...]


@dataclass(frozen=True)
class Layout:
    """A file and its true inventory, a row a field."""

    messages: tuple[Message, ...]
    rows: tuple[str, ...]

    @property
    def content(self):
        return b"".join(message.content for message in self.messages)

    @property
    def text(self):
        return "".join(f"{row}\n" for row in self.rows).encode()

    @property
    def spans(self):
        """(start, end) of every message."""
        spans, start = [], 0
        for message in self.messages:
            spans.append((start, start + len(message.content)))
            start += len(message.content)
        return spans

    def keys_within(self, ranges):
        """The keys of what lies between the bytes, in order; AssertionError if a message is cut."""
        spans = self.spans
        found = []
        for begin, end in ranges:
            inside = [n for n, (a, b) in enumerate(spans) if a >= begin and b <= end]
            assert inside, "no message between these bytes"
            assert (spans[inside[0]][0], spans[inside[-1]][1]) == (begin, end)
            found += [kind.key for n in inside for kind in self.messages[n].fields]
        return [key for key in found if key is not None]


def _member(product):
    """The same field of a member of an ensemble: template 4.1, or 4.11 for a window."""
    body = product[5:]
    template = struct.unpack_from(">H", body, 2)[0] + (3 if body[3] else 1)
    perturbation = bytes([3, 1, 30])
    return smith.section(
        4, body[:2] + struct.pack(">H", template) + body[4:29] + perturbation + body[29:]
    )


def layout(random, *, kinds=KINDS, most=8, cycle=CYCLE):
    """A file of some messages, some of several fields, some twice."""
    members = random.random() < 0.25
    extra = "ENS=+1" if members else ""
    messages, rows, offset = [], [], 0
    for number in range(1, random.randint(1, most) + 1):
        fields = tuple(
            random.choice(kinds) for _ in range(random.choice((1, 1, 1, 1, 2, 3)))
        )  # fmt: skip
        if messages and random.random() < 0.15:
            fields = messages[-1].fields
        body = smith.identification() + smith.grid(*GRID)
        for kind in fields:
            payload = random.randbytes(random.choice((0, 1, 30, 300)))
            body += _member(kind.product) if members else kind.product
            body += smith.packing(POINTS) + smith.bitmap() + smith.section(7, payload)
        messages.append(Message(smith.message(body), fields))
        for part, kind in enumerate(fields, 1):
            which = f"{number}.{part}" if len(fields) > 1 else f"{number}"
            rows.append(f"{which}:{offset}:d={cycle}:{kind.text}:{extra}")
        offset += len(messages[-1].content)
    return Layout(tuple(messages), tuple(rows))


def _with_row(random, rows, change):
    rows = list(rows)
    position = random.randrange(len(rows))
    rows[position] = change(rows[position])
    return rows


def _moved(random):
    def change(row):
        number, offset, rest = row.split(":", 2)
        by = random.choice((-(10**6), -100, -1, 1, 100, 10**6, 2**62, 10**40))
        return f"{number}:{max(int(offset) + by, 0)}:{rest}"

    return change


def _shuffled(random, rows):
    rows = list(rows)
    random.shuffle(rows)
    return rows


def _lost(random, rows):
    lost = random.randrange(len(rows))
    return [row for position, row in enumerate(rows) if position != lost]


def _doubled(random, rows):
    position = random.randrange(len(rows))
    return [*rows[: position + 1], *rows[position:]]


def _exchanged(random, rows):
    """Two rows say each other's field: an inventory of another order."""
    split = [row.split(":", 3) for row in rows]
    a, b = random.randrange(len(rows)), random.randrange(len(rows))
    split[a][3], split[b][3] = split[b][3], split[a][3]
    return [":".join(parts) for parts in split]


def _renumbered(random, rows):
    """A row is lost and no number tells: written for a file without the message."""
    lost = random.randrange(len(rows))
    left = [row.split(":", 1)[1] for position, row in enumerate(rows) if position != lost]
    return [f"{number}:{row}" for number, row in enumerate(left, 1)]


ROW_FAULTS = {
    "shuffled": _shuffled,
    "lost": _lost,
    "doubled": _doubled,
    "exchanged": _exchanged,
    "renumbered": _renumbered,
    "moved": lambda random, rows: _with_row(random, rows, _moved(random)),
    "other run, one row": lambda random, rows: _with_row(
        random, rows, lambda row: row.replace(CYCLE, "2026012906")
    ),
    "other run": lambda _, rows: [row.replace(CYCLE, "2026012906") for row in rows],
    "nonsense": lambda random, rows: _with_row(random, rows, lambda _: "7:7:no line:of an idx"),
    "unknown wording": lambda random, rows: _with_row(
        random, rows, lambda row: row.replace("fcst", "prob")
    ),
    "all unread": lambda _, rows: [],
}


def _spliced(random, text):
    at = random.randint(0, len(text))
    junk = random.choice((b"\0", b"\xff\xfe", b"\n", b"\r", b":", b"9", b"\xc3\xa9", b"<html>"))
    return text[:at] + junk + text[at:]


def _overwritten(random, text):
    spoilt = bytearray(text)
    if spoilt:
        spoilt[random.randrange(len(spoilt))] = random.randrange(256)
    return bytes(spoilt)


TEXT_FAULTS = {
    "cut": lambda random, text: text[: random.randint(0, len(text))],
    "beginning lost": lambda random, text: text[random.randint(0, len(text)) :],
    "spliced": _spliced,
    "overwritten": _overwritten,
    "CRLF": lambda _, text: text.replace(b"\n", b"\r\n"),
    "twice": lambda _, text: text * 2,
    "UTF-16": lambda _, text: text.decode("latin-1").encode("utf-16"),
    "zeros at the end": lambda _, text: text + bytes(512),
}


def spoil(random, made):
    """The inventory of *made* as it may arrive, and the faults that it met."""
    faults = random.choices((*ROW_FAULTS, *TEXT_FAULTS), k=random.choice((1, 1, 2)))
    rows = list(made.rows)
    for fault in faults:
        if fault in ROW_FAULTS and rows:
            rows = ROW_FAULTS[fault](random, rows)
    text = "".join(f"{row}\n" for row in rows).encode()
    for fault in faults:
        if fault in TEXT_FAULTS:
            text = TEXT_FAULTS[fault](random, text)
    return text, faults
