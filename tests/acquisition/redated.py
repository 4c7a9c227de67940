"""Any hour of any run, made from a few real messages that are given other dates and values.

A tree for the replica in which a mixed-up hour or run shows in the values: instants of two hours
never agree, totals grow by what fell between them, and every run is a little wetter or drier.
Nothing lies on disk; a file is put together when it is asked for.
"""

import io
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np

from render_farm.domain.grib2 import field_bytes, walk
from twf_async.replica.crop import crop, decode
from twf_async.replica.faults.edits import padded
from twf_async.replica.packing import Scale, pack, scale_of
from twf_async.replica.release import PLANS
from twf_async.replica.sections import Sections
from twf_async.replica.tree import COM, CropBox, Entry, FileMessage
from twf_async.replica.wording import read_inventory

COARSE = "gfs-2p5/gfs.20111008.t00z.pgrbf072.2p5deg.grib2"
FINE = "nomads/pub/data/nccf/com/hrrr/prod/hrrr.20260129/conus"
HRRR_CUT = CropBox.of(left=-127.2, right=-117.3, bottom=44.7, top=51.3)
HRRR_SIZE = "{ points = 74358, step_km = 3.0 }"  # of the cut
# Between the levels and the surface, as in the real files: byte ranges across it do not pay.
SPACER_BYTES = 300_000
_FILES_KEPT = 48
_STEPS = 41  # prime: hours of no cadence meet each other before 41 steps
_CHUNK = 1 << 20
_SHARE = "CSNOW:surface"
_INTERVAL = 8  # product definition template of what is gathered over a time
_SHIFTS = {  # of one step, in the unit of the field
    "TMP": 0.2,
    "REFC": 0.2,
    "UGRD": 0.1,
    "VGRD": 0.1,
    "PRMSL": 10.0,
    "MSLMA": 10.0,
    "HGT": 2.0,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a file. window: hours back from the file's hour, None for an instant."""

    field: str
    window: Callable[[int], int] | None = None
    padding: int = 0


def _bucket(hour: int) -> int:
    return hour - (hour - 1) // 6 * 6


def _whole(hour: int) -> int:
    return hour


def _lines(model: str, part: str, hour: int) -> list[Line]:
    """What the file of an hour holds, in the order of the real ones (nomads.md 4)."""
    if model == "gfs":
        lines = [
            Line("PRMSL:mean sea level"),
            *(Line(f"{name}:850 mb") for name in ("HGT", "TMP", "RH", "UGRD", "VGRD")),
            Line("ABSV:500 mb", padding=SPACER_BYTES),
            Line("TMP:surface"),
            Line("TMP:2 m above ground"),
        ]
        if hour:
            lines += [
                Line("APCP:surface", _bucket),
                Line("APCP:surface", _whole),
                Line(_SHARE, _bucket),
            ]
        return lines
    if model == "aigfs" and part == "sfc":
        names = ("UGRD:10 m above ground", "VGRD:10 m above ground", "TMP:2 m above ground")
        lines = [Line(name) for name in (*names, "PRMSL:mean sea level")]
        return lines + [Line("APCP:surface", w) for w in (_bucket, _whole) if hour]
    if model == "aigfs":
        names = ("HGT", "TMP", "UGRD", "VGRD")
        return [Line(f"{name}:{level} mb") for name in names for level in (500, 700, 850, 1000)]
    lines = [
        Line("REFC:entire atmosphere"),
        Line("TMP:2 m above ground", padding=SPACER_BYTES),
        Line("PRATE:surface"),
        Line("APCP:surface", _whole),
        *(Line(f"{name}:surface") for name in ("CSNOW", "CICEP", "CFRZR", "CRAIN")),
    ]
    if hour > 1:
        lines.insert(4, Line("APCP:surface", lambda _: 1))
    return lines


class RedatedTree:
    """Runs of gfs, aigfs and hrrr from their first to their last hour; see FileTree.

    test_data  the directory of the real files
    cycles     model -> its runs ("2026012912")
    absent     (model, cycle, hour) that never come
    """

    def __init__(self, test_data: Path, cycles: Mapping[str, Sequence[str]]) -> None:
        self._templates = templates(test_data)
        self._cycles = {model: frozenset(names) for model, names in cycles.items()}
        self._built: OrderedDict[str, tuple[bytes, str]] = OrderedDict()
        self._lock = Lock()

    def listdir(self, path: str) -> list[Entry] | None:
        """See FileTree; the directories of runs alone, which is what a browser of runs needs."""
        above = path.rstrip("/") + "/"
        names = {
            folder[len(above) :].partition("/")[0]
            for folder in self._folders()
            if folder.startswith(above)
        }
        return [Entry(name, True, 0, _EPOCH) for name in sorted(names)] or None

    def stat(self, path: str) -> Entry | None:
        """See FileTree."""
        name = path.rpartition("/")[2]
        if any(folder.startswith(f"{path}/") for folder in self._folders()):
            return Entry(name, True, 0, _EPOCH)
        held = self._held(path)
        return None if held is None else Entry(name, False, len(held), _EPOCH)

    def open_range(self, path: str, start: int, end: int) -> Iterator[bytes]:
        """See FileTree."""
        held = self._held(path)
        if held is None:
            raise FileNotFoundError(path)
        end = min(end, len(held))
        for at in range(start, end, _CHUNK):
            yield held[at : min(at + _CHUNK, end)]

    def messages(self, path: str) -> tuple[FileMessage, ...] | None:
        """See FileTree."""
        file = self._file(path)
        return None if file is None else read_inventory(file[1], len(file[0]))

    def cropped(self, path: str, messages: Sequence[FileMessage], box: CropBox) -> Iterator[bytes]:
        """See FileTree."""
        held = self._held(path) or b""
        for message in messages:
            yield crop(held[message.offset : message.offset + message.length], box)

    def _held(self, path: str) -> bytes | None:
        file = self._file(path.removesuffix(".idx"))
        if file is None:
            return None
        return file[1].encode() if path.endswith(".idx") else file[0]

    def _file(self, path: str) -> tuple[bytes, str] | None:
        """A file and its inventory; None for one of no run, or of an hour the model lacks."""
        for plan in PLANS:
            read = plan.read(path) if path.startswith(f"{COM}/{plan.tree}/") else None
            if read is None:
                continue
            model, cycle = plan.tree.partition("/")[0], f"{read.cycle:%Y%m%d%H}"
            if cycle not in self._cycles.get(model, ()) or not plan.has(read.cycle, read.hour):
                return None
            with self._lock:
                if path not in self._built:
                    part = "sfc" if ".sfc." in path else "pres"
                    self._built[path] = self._build(model, part, read.cycle, read.hour)
                self._built.move_to_end(path)
                while len(self._built) > _FILES_KEPT:
                    self._built.popitem(last=False)
                return self._built[path]
        return None

    def _build(self, model: str, part: str, cycle: datetime, hour: int) -> tuple[bytes, str]:
        held = self._templates["hrrr" if model == "hrrr" else "coarse"]
        body = b"".join(
            redated(held[line.field], line, cycle, hour) for line in _lines(model, part, hour)
        )
        heads = walk(io.BytesIO(body))
        lines = [
            f"{number}:{head.offset}:d={head.cycle}:{head.text}:\n"
            for number, head in enumerate(heads, 1)
        ]
        return body, "".join(lines)

    def _folders(self) -> Iterator[str]:
        for model, cycles in self._cycles.items():
            for cycle in cycles:
                day, hour = cycle[:8], cycle[8:]
                below = {
                    "gfs": f"{hour}/atmos",
                    "aigfs": f"{hour}/model/atmos/grib2",
                    "hrrr": "conus",
                }[model]
                yield f"{COM}/{model}/prod/{model}.{day}/{below}/"


_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1)
def templates(test_data: Path) -> dict[str, dict[str, bytes]]:
    """Real messages by `VAR:level`: "coarse" of a whole globe at 2.5 degrees, "hrrr" cut out."""
    coarse: dict[str, bytes] = {}
    with (test_data / COARSE).open("rb") as stream:
        for head in list(walk(stream)):
            coarse.setdefault(_name(head.text), field_bytes(stream, head))
    coarse[_SHARE] = _finer(coarse[_SHARE])
    fine: dict[str, bytes] = {}
    for name in ("hrrr.t17z.wrfsfcf06.grib2", "hrrr.t17z.wrfsfcf01.grib2"):
        with (test_data / FINE / name).open("rb") as stream:
            for head in list(walk(stream)):
                if _name(head.text) not in fine:
                    fine[_name(head.text)] = crop(field_bytes(stream, head), HRRR_CUT)
    return {"coarse": coarse, "hrrr": fine}


def _finer(message: bytes) -> bytes:
    """Shares of the time in hundredths below 1: one step more of a rerun must be possible."""
    parts = Sections.of(message)
    return parts.replaced(pack(decode(message) * 0.9, Scale(decimal=2, binary=0)))


def _name(text: str) -> str:
    return ":".join(text.split(":")[:2])


def redated(message: bytes, line: Line, cycle: datetime, hour: int) -> bytes:
    """*message* as the run of *cycle* has it at *hour*, values included."""
    parts = Sections.of(message)
    parameter = line.field.partition(":")[0]
    window = None if line.window is None else line.window(hour)
    changed = {1: _dated(parts.bodies[1], cycle), 4: _timed(parts.bodies[4], cycle, hour, window)}
    if parameter == "APCP":
        share = _fallen(cycle, hour) - _fallen(cycle, hour - (window or 0))
        section_5 = parts.bodies[5]
        changed |= pack(_values(message) * share, scale_of(section_5), section_5[20])
    elif parameter in _SHIFTS:
        changed[5] = _raised(parts.bodies[5], _SHIFTS[parameter] * _step(cycle, hour))
    made = parts.replaced(changed)
    return padded(made, line.padding) if line.padding else made


@lru_cache(maxsize=8)
def _values(message: bytes) -> np.ndarray:
    return decode(message)


def _run(cycle: datetime) -> int:
    return int(cycle.timestamp()) // 3600


def _step(cycle: datetime, hour: int) -> int:
    """How many steps the instants of an hour lie above those of the template."""
    return (7 * hour + 11 * _run(cycle)) % _STEPS


@lru_cache(maxsize=4096)
def _fallen(cycle: datetime, hour: int) -> float:
    """Precipitation from the beginning of the run, in amounts of the template."""
    wetness = 1.0 + 0.05 * (_run(cycle) % 11)
    return wetness * sum(1 + 5 * h % 7 for h in range(1, hour + 1)) / 96.0


def _dated(section: bytes, cycle: datetime) -> bytes:
    return section[:12] + _moment(cycle) + section[19:]


def _timed(section: bytes, cycle: datetime, hour: int, window: int | None) -> bytes:
    """Section 4 with another time: forecast hours, and for an interval its end and length."""
    body = bytearray(section)
    body[17] = 1
    body[18:22] = struct.pack(">I", hour - (window or 0))
    if struct.unpack_from(">H", body, 7)[0] == _INTERVAL:
        body[34:41] = _moment(cycle + timedelta(hours=hour))
        body[48] = 1
        body[49:53] = struct.pack(">I", window or 0)
    return bytes(body)


def _raised(section: bytes, by: float) -> bytes:
    """Section 5 with all values raised by so much, in the unit of the field."""
    body = bytearray(section)
    (reference,) = struct.unpack_from(">f", body, 11)
    scale = scale_of(section)
    decimal = 0 if scale is None else scale.decimal
    struct.pack_into(">f", body, 11, reference + by * 10.0**decimal)
    return bytes(body)


def _moment(moment: datetime) -> bytes:
    return struct.pack(
        ">H5B", moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second
    )
