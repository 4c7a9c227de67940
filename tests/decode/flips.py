"""Which flipped bytes are noticed, and by what: `python -m tests.decode.flips`.

GRIB carries no checksum, so some are not. Each trial flips one bit, or puts another byte in the
place of one, anywhere in an answer as it comes from NOMADS, and passes it to what looks at
answers: the section walk, the expected messages, the unpacking, the limits of values, the jumps
between them. What nobody noticed is compared with the truth, point by point and bin by bin.
"""

import argparse
import io
import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from render_farm.decode.fields import Failure, Field
from render_farm.decode.read import read
from render_farm.domain.fields import MessageKey
from render_farm.domain.grib2 import MessageHead, field_bytes, walk
from render_farm.domain.jobs import MessageSource
from render_farm.domain.models import GridSize
from render_farm.domain.places import Box
from render_farm.domain.scales import Display
from twf_async.fetch.errors import NotGrib, SourceError, Truncated, WrongGrid
from twf_async.fetch.verify import Expectation, verify
from twf_async.plan.orders import products_of, wanted_by_hour
from twf_async.replica.atmosphere.atmosphere import Atmosphere
from twf_async.replica.atmosphere.inventory import messages
from twf_async.replica.atmosphere.messages import cut
from twf_async.replica.atmosphere.models import MODELS, ModelFile
from twf_async.replica.crop import crop
from twf_async.replica.tree import CropBox
from twf_async.settings.load import load

ROOT = Path(__file__).resolve().parents[2]
NORTHWEST = Box(west=-126.0, east=-109.0, south=41.25, north=49.5)
STAGES = ("structure", "keys", "grid", "packing", "range", "jumps", "undetected")
WIDE = 0.01  # of a map
DEMO = datetime(2026, 1, 27, 12, tzinfo=UTC), 30

# Scale of the map by parameter, or the step between two isolines in the message's own unit.
_SCALES = {
    "DPT": "dewpoint", "UGRD": "wind", "VGRD": "wind", "GUST": "wind", "WIND": "wind",
    "APCP": "precipitation", "PRATE": "rate_rain", "REFC": "reflectivity_rain", "RH": "humidity",
    "PWAT": "precipitable_water", "TCDC": "cloud", "CAPE": "cape",
}  # fmt: skip
_STEPS = {
    "PRMSL": 400.0, "MSLMA": 400.0, "HGT": 60.0, "ABSV": 2e-5, "VVEL": 0.5, "DZDT": 0.5,
    "CIN": 50.0, "SNOD": 0.05, "WEASD": 2.5, "ASNOW": 0.025,
    "CRAIN": 0.5, "CSNOW": 0.5, "CICEP": 0.5, "CFRZR": 0.5, "SPFH": 5e-4,
}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """One answer of NOMADS with its truth. boxes: what maps show of it."""

    name: str
    data: bytes
    heads: tuple[MessageHead, ...]
    expected: Expectation
    boxes: tuple[Box, ...]
    truth: dict[MessageKey, Field]

    @classmethod
    def of(
        cls, name: str, data: bytes, *, cut_to: int | None, boxes: tuple[Box, ...], folder: Path
    ) -> "Answer":
        heads = tuple(walk(io.BytesIO(data)))
        keys = frozenset(head.key for head in heads if head.key is not None)
        cycle = heads[0].cycle
        points = max(heads[0].grid.points, 1 if cut_to is None else 10 * cut_to)
        expected = Expectation(
            cycle, keys, len(heads), exact=True, grid=_size(points), cut_to_points=cut_to
        )
        path = folder / "truth.grib2"
        path.write_bytes(data)
        verify(path, expected)
        found = read([MessageSource(str(path), key) for key in keys], cycle=cycle, boxes=boxes)
        path.unlink()
        truth = {s.key: field for s, field in found.items() if isinstance(field, Field)}
        assert truth.keys() == keys, [f for f in found.values() if isinstance(f, Failure)]
        return cls(name, data, heads, expected, boxes, truth)


def _size(points: int) -> GridSize:
    return GridSize(points=points, step_km=3.0)


class Outcome(NamedTuple):
    """What became of one flip. bins: share of what is shown that lies in another bin."""

    stage: str
    parameter: str
    bins: float = 0.0
    error: float = 0.0  # largest, in shares of the field's own range
    detail: str = ""


def flipped(data: bytes, at: int, change: int) -> bytes:
    """The bytes with one of them changed by the bits of *change*."""
    body = bytearray(data)
    body[at] ^= change
    return bytes(body)


def outcome(answer: Answer, at: int, change: int, folder: Path, number: int = 0) -> Outcome:
    """Pass the answer with one byte changed to everything that looks at it."""
    hit = next(h for h in answer.heads if h.offset <= at < h.offset + h.length)
    path = folder / f"{number}.grib2"
    path.write_bytes(flipped(answer.data, at, change))
    try:
        verify(path, answer.expected)
        source = MessageSource(str(path), hit.key)
        found = read([source], cycle=answer.expected.cycle, boxes=answer.boxes)[source]
    except SourceError as error:
        return Outcome(_stage(error), hit.key.parameter, detail=str(error))
    finally:
        path.unlink()
    if isinstance(found, Failure):
        return Outcome(_stage_of(found.detail), hit.key.parameter, detail=found.detail)
    return _compared(answer.truth[hit.key], found)


def _stage(error: SourceError) -> str:
    if isinstance(error, NotGrib | Truncated):
        return "structure"
    return "grid" if isinstance(error, WrongGrid) else "keys"


def _stage_of(detail: str) -> str:
    if "beyond all around" in detail or "tilted" in detail:
        return "jumps"
    if any(words in detail for words in ("outside the possible", "every value", "which cannot be")):
        return "range"
    if "does not hold" in detail:
        return "keys"
    return "grid" if "grid" in detail or "elsewhere" in detail else "packing"


def _compared(truth: Field, found: Field) -> Outcome:
    parameter = truth.key.parameter
    if truth.grid != found.grid:
        return Outcome("undetected", parameter, 1.0, 1.0, "drawn in another place")
    error = np.abs(found.values - truth.values)
    error = np.where(np.isnan(truth.values) & np.isnan(found.values), 0, error)
    error = np.nan_to_num(error, nan=np.inf)
    span = float(np.nanmax(truth.values) - np.nanmin(truth.values)) or 1.0
    other = bins_of(truth) != bins_of(found)
    return Outcome("undetected", parameter, float(other.mean()), float(error.max()) / span)


def bins_of(field: Field) -> np.ndarray:
    """The bin of every point by the scale of its map; of a wind's component as of its speed."""
    name, values = field.key.parameter, field.values
    scale = _SCALES.get(name)
    if name in {"TMP", "TMAX", "TMIN"}:
        scale = "temperature_850" if field.key.level.endswith(" mb") else "temperature"
    if scale is None:
        step = _STEPS.get(name) or (float(np.nanmax(values) - np.nanmin(values)) or 1.0) / 20
        return np.floor(np.nan_to_num(values, nan=-1e9) / step)
    display = _displays()[scale]
    shown = np.abs(values) if scale == "wind" else values
    return np.searchsorted(display.levels, shown * display.factor + display.offset, side="right")


@cache
def _displays() -> dict[str, Display]:
    return {key: scale.imperial for key, scale in load(ROOT / "config", {}).catalog.scales.items()}


def real_filter(data: Path, folder: Path) -> Answer:
    """Six real GFS messages as the filter cuts them: simple packing."""
    box = CropBox.of(left=-126, right=-109, bottom=41.25, top=49.5)
    path = next(data.glob("nomads/**/*0p25.f006"))
    body = b"".join(crop(message, box) for message in _messages(path))
    return Answer.of("real", body, cut_to=70 * 34, boxes=(NORTHWEST,), folder=folder)


def demo_filter(model: str, cycle: datetime, hour: int) -> bytes:
    """The messages of all products at an hour of the synthetic atmosphere, cut likewise."""
    box = CropBox.of(left=-126, right=-109, bottom=41.25, top=49.5)
    known = next(each for each in MODELS if each.key == model)
    file = ModelFile(known, cycle, hour, known.files[0][0])
    catalog = load(ROOT / "config", {}).catalog
    ours = catalog.models[model]
    wanted = wanted_by_hour(ours, products_of(catalog, ours), (hour,))[hour]
    chosen = [message for message in messages(file) if message.key in wanted]
    return b"".join(cut(Atmosphere(), file, chosen, box))


def real_ranges(data: Path, pattern: str, boxes: tuple[Box, ...], folder: Path) -> Answer:
    """A real file as it is: complex packing, spatial differences of the second order."""
    path = next(data.glob(f"nomads/**/{pattern}"))
    return Answer.of(pattern, path.read_bytes(), cut_to=None, boxes=boxes, folder=folder)


def _messages(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        for head in list(walk(stream)):
            yield field_bytes(stream, head)


def highest_bits(answer: Answer, head: MessageHead, every: int = 37) -> list[int]:
    """Where in a simply packed message the highest bits of some values are."""
    message = answer.data[head.offset : head.offset + head.length]
    width, first = message[_section(message, 5) + 19], 8 * (_section(message, 7) + 5)
    return [first + value * width for value in range(100, head.grid.points - 80, every)]


def _section(message: bytes, number: int) -> int:
    at = 16
    while message[at + 4] != number:
        at += int.from_bytes(message[at : at + 4], "big")
    return at


def trials(answer: Answer, count: int, *, bits: bool, seed: int, folder: Path) -> Iterator[Outcome]:
    """*count* outcomes; bits: of one bit each, else of a byte that becomes any other one."""
    chance = np.random.default_rng(seed)
    for number in range(count):
        at = int(chance.integers(len(answer.data)))
        change = 1 << int(chance.integers(8)) if bits else int(chance.integers(1, 256))
        yield outcome(answer, at, change, folder, number)


def row(outcomes: Iterable[Outcome]) -> str:
    """Shares by stage, and of what stayed undetected, as cells of a table."""
    found = list(outcomes)
    stages = Counter(each.stage for each in found)
    quiet = [each for each in found if each.stage == "undetected"]
    seen = [each for each in quiet if each.bins > 0]
    cells = [f"{100 * stages[stage] / len(found):.1f} %" for stage in STAGES]
    cells.append(f"{100 * len(seen) / len(found):.1f} %")
    cells.append(f"{100 * sum(each.bins > WIDE for each in seen) / len(found):.2f} %")
    if seen:
        cells.append(f"{100 * float(np.median([each.bins for each in seen])):.2g} %")
        cells.append(f"{100 * float(np.median([each.error for each in seen])):.2g} %")
    else:
        cells += ["", ""]
    return " | ".join(cells)


def main() -> int:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000, help="of each kind (default 2000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="answers whose name begins so")
    parser.add_argument("--fields", action="store_true", help="also by parameter")
    asked = parser.parse_args()
    data = Path(os.environ.get("TWF_TEST_DATA", ROOT.parent / "shared"))
    heads = (*STAGES, "and seen", "on > 1 % of a map", "seen on, median", "error, median")
    _say(f"| answer | flip | {' | '.join(heads)} |")
    _say("|---" * (len(heads) + 2) + "|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hrrr, region = "*sfcf06.grib2", (NORTHWEST,)
        answers = {
            "filter, GFS, real": lambda: real_filter(data, folder),
            "filter, GFS, all products": lambda: Answer.of(
                "demo", demo_filter("gfs", *DEMO), cut_to=70 * 34, boxes=region, folder=folder
            ),
            "ranges, GFS, real": lambda: real_ranges(data, "*0p25.f006", region, folder),
            "ranges, HRRR, real": lambda: real_ranges(data, hrrr, region, folder),
            "ranges, HRRR, real, whole grid": lambda: real_ranges(data, hrrr, (), folder),
        }
        for title, make in answers.items():
            if not title.startswith(asked.only):
                continue
            answer = make()
            for bits in (True, False):
                found = list(
                    trials(answer, asked.trials, bits=bits, seed=asked.seed, folder=folder)
                )
                _say(f"| {title} | {'bit' if bits else 'byte'} | {row(found)} |")
                if asked.fields:
                    _by_parameter(found)
    return 0


def _by_parameter(found: Iterable[Outcome]) -> None:
    fields = defaultdict(list)
    for each in found:
        fields[each.parameter].append(each)
    for parameter, outcomes in sorted(fields.items()):
        _say(f"|  {parameter} ({len(outcomes)}) | | {row(outcomes)} |")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
