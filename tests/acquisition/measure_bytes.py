"""How many bytes an hour's filter requests bring, and how few they could bring at all.

The least is found by another way than the service's: an integer programme, solved to the optimum by
HiGHS. What a message weighs after cutting is counted here anew, from the grid's own points.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from render_farm.domain.fields import MessageKey
from render_farm.domain.places import Box
from twf_async.plan.idx import IdxLine, parse_idx
from twf_async.plan.orders import products_of, wanted_by_hour
from twf_async.plan.selection import FILTER_REQUESTS, Selection, select
from twf_async.settings.catalog import Catalog

Pair = tuple[str, str]  # parameter, level

FILES = {
    ("gfs", 0): "gfs.t12z.pgrb2.0p25.f000.idx",
    ("gfs", 6): "gfs.t12z.pgrb2.0p25.f006.idx",
    ("gfs", 7): "gfs.t12z.pgrb2.0p25.f007.idx",
    ("gfs", 24): "gfs.t12z.pgrb2.0p25.f024.idx",
    ("hrrr", 0): "hrrr.t17z.wrfsfcf00.grib2.idx",
    ("hrrr", 1): "hrrr.t17z.wrfsfcf01.grib2.idx",
    ("hrrr", 3): "hrrr.t17z.wrfsfcf03.grib2.idx",
    ("hrrr", 6): "hrrr.t17z.wrfsfcf06.grib2.idx",
}
BOXES = {
    "pnw": Box(west=-127.7, east=-107.3, south=40.7, north=50.3),
    "conus": Box(west=-125.0, east=-66.5, south=24.0, north=50.0),
    "tiny": Box(west=-123.5, east=-122.0, south=45.0, north=46.0),
}
_HEAD_BYTES = 200
_CONSTANT_BYTES = 1000


@dataclass(frozen=True, slots=True)
class Case:
    """One hour over one box.

    wanted    fields that products take and the file holds
    chosen    what the service would ask for
    costs     bytes that each pair of the file brings
    """

    model: str
    hour: int
    box: str
    wanted: frozenset[MessageKey]
    chosen: Selection
    costs: Mapping[Pair, int]

    @property
    def pairs(self) -> frozenset[Pair]:
        """What must come."""
        return frozenset((key.parameter, key.level) for key in self.wanted)

    @property
    def chosen_bytes(self) -> int:
        """What the choice brings: of the filter all that it crosses, counted here."""
        if self.chosen.method != "FILTERED":
            return self.chosen.estimated_bytes
        return sum(
            self.costs.get((parameter, level), 0)
            for request in self.chosen.filters
            for parameter in request.parameters
            for level in request.levels
        )


def cases(test_data: Path, catalog: Catalog) -> Iterator[Case]:
    """Every inventory there is over every box."""
    for (key, hour), name in FILES.items():
        path = test_data / "idx" / name
        if not path.exists():
            continue
        lines = parse_idx(path.read_text())
        model = catalog.models[key]
        products = products_of(catalog, model)
        ordered = wanted_by_hour(model, products, sorted({*model.hours, *model.long_hours, hour}))
        held = {line.key for line in lines}
        wanted = frozenset(key for key in ordered[hour] if key in held)
        for box_name, box in BOXES.items():
            chosen = select(lines, wanted, box=box, grid=model.grid)
            yield Case(key, hour, box_name, wanted, chosen, _costs(key, lines, box))


def _costs(model: str, lines: tuple[IdxLine, ...], box: Box) -> Counter[Pair]:
    """Bytes of every pair after cutting: simple packing, ten bits a value, flags one."""
    points, of_grid = _points(model, box)
    sizes = np.diff([line.offset for line in lines], append=lines[-1].offset + 1_000_000)
    costs: Counter[Pair] = Counter()
    for line, size in zip(lines, sizes.tolist(), strict=True):
        bits = 0 if size < _CONSTANT_BYTES else 1 if size * 8 < 0.4 * of_grid else 10
        costs[line.parameter, line.level] += _HEAD_BYTES + points * bits // 8
    return costs


def _points(model: str, box: Box) -> tuple[int, int]:
    """Of a cut-out, and of the whole grid."""
    width, height = box.east - box.west, box.north - box.south
    if model == "gfs":
        return (math.floor(width * 4) + 1) * (math.floor(height * 4) + 1), 1440 * 721
    columns = width * 111.2 / 3 * math.cos(math.radians(box.south))
    rows = height * 111.2 / 3
    return min(int(columns * rows), 1799 * 1059), 1799 * 1059


def least_bytes(pairs: frozenset[Pair], costs: Mapping[Pair, int], at_most: int) -> int:
    """The fewest bytes in which *at_most* filter requests can bring *pairs*, proven.

    For every request: does it name parameter p, does it name level l, and so does it bring (p, l)?
    """
    parameters = sorted({parameter for parameter, _ in pairs})
    levels = sorted({level for _, level in pairs})
    cells = [(p, level) for p in parameters for level in levels if costs.get((p, level), 0)]
    scale = max(costs[cell] for cell in cells)
    each = len(parameters) + len(levels) + len(cells)
    weights, rows, least = np.zeros(each * at_most), _Rows(), []
    for request in range(at_most):
        base = request * each
        for at, (parameter, level) in enumerate(cells):
            brought = base + len(parameters) + len(levels) + at
            named = base + parameters.index(parameter)
            crossed = base + len(parameters) + levels.index(level)
            weights[brought] = costs[parameter, level] / scale
            rows.add({brought: 1.0, named: -1.0, crossed: -1.0})  # brought where both are named
            least.append(-1.0)
            for cause in (named, crossed):  # and only there
                rows.add({cause: 1.0, brought: -1.0})
                least.append(0.0)
    for at, cell in enumerate(cells):
        if cell in pairs:
            first = len(parameters) + len(levels) + at
            rows.add({request * each + first: 1.0 for request in range(at_most)})
            least.append(1.0)
    solved = milp(
        weights,
        constraints=LinearConstraint(rows.matrix(each * at_most), lb=least),
        integrality=np.ones(each * at_most),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    if not solved.success:
        raise RuntimeError(f"no proven optimum: {solved.message}")
    return round(solved.fun * scale)


class _Rows:
    """The rows of a sparse matrix, one after the other."""

    def __init__(self) -> None:
        self._at: list[tuple[int, int, float]] = []
        self._count = 0

    def add(self, row: Mapping[int, float]) -> None:
        self._at += [(self._count, column, value) for column, value in row.items()]
        self._count += 1

    def matrix(self, columns: int) -> coo_array:
        down, across, values = zip(*self._at, strict=True)
        return coo_array((values, (down, across)), shape=(self._count, columns))


@dataclass(frozen=True, slots=True)
class Compared:
    """A case beside the least that as many requests as the service makes, and four, could send."""

    case: Case
    in_three: int
    in_four: int

    @property
    def over_three(self) -> float:
        """How much more the choice brings than three requests must."""
        return self.case.chosen_bytes / self.in_three

    @property
    def over_four(self) -> float:
        """How much more the choice brings than four requests must."""
        return self.case.chosen_bytes / self.in_four


def compared(those: Iterable[Case]) -> Iterator[Compared]:
    """One after the other; byte ranges too are held to what the filter must send."""
    for case in those:
        in_three, in_four = (least_bytes(case.pairs, case.costs, n) for n in (FILTER_REQUESTS, 4))
        yield Compared(case, in_three, in_four)
