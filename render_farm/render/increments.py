"""Totals over the increments of a run, kept on disk from hour to hour.

A Kuchera total at f384 is made of 512 messages. An hour takes the sum as it stood at an earlier
one and decodes only what has been added since. A sum is kept under a digest of everything that it
depends on, the identity of every file included, and is made from the left in float32: a store
that is lost, damaged or full costs time and changes no bit of a picture.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import structlog

from render_farm.decode.alignment import cut_to
from render_farm.decode.fields import Field
from render_farm.decode.grid import Grid
from render_farm.derive.derived import Derived
from render_farm.derive.increments import INCREMENTS, REVISION, plus, require_increments
from render_farm.derive.shapes import Array, GridMismatch, InputMissing, common_grid
from render_farm.derive.smoothing import smoothed
from render_farm.domain.jobs import MessageSource, ProductTask, RenderJob
from render_farm.draw import mapfile
from render_farm.render.inputs import Inputs, JobFields, Unusable

_log = structlog.get_logger(component="render")

Part = ProductTask  # a task with the messages of one increment alone


class RunningTotals:
    """Makes the totals of a job, going on with what is kept below its `increment_dir`."""

    def __init__(self, job: RenderJob, fields: JobFields) -> None:
        self._job, self._fields = job, fields

    def derived(self, task: ProductTask) -> Derived | Unusable:
        """The grids of a task whose recipe is in INCREMENTS, or why there are none.

        raises  DeriveError for messages that do not make consecutive increments, and whatever
                the recipe's increment raises
        """
        require_increments({role: [s.key for s in of] for role, of in task.inputs.items()})
        parts = _parts(task)
        newest = self._fields.inputs(parts[-1])
        if isinstance(newest, Unusable):
            return newest
        paths = self._paths(parts, _grid(newest))
        try:
            so_far = self._before(parts, paths, newest)
        except GridMismatch:
            return self._anew(task, parts)
        if isinstance(so_far, Unusable):
            return so_far
        total = plus(so_far, _increment(task, newest))
        if paths and _hours(parts[-1]) == _hours(parts[0]):  # else a bucket has but begun
            self._keep(paths[-1], parts, total)
        return Derived(_grid(newest), {"fill": total})

    def _before(
        self, parts: Sequence[Part], paths: Sequence[Path], newest: Inputs
    ) -> Array | Unusable | None:
        """The sum of all but the last part; None where there is but one."""
        *earlier, _ = parts
        kept = self._kept(earlier, paths[:-1], _grid(newest))
        count, so_far = kept or (0, None)
        for part in earlier[count:]:
            inputs = self._fields.inputs_apart(part)
            if isinstance(inputs, Unusable):
                return inputs
            inputs = _cut_to(_grid(newest), inputs)
            _grid(newest, inputs)
            so_far = plus(so_far, _increment(part, inputs))
        if so_far is not None and paths and count < len(earlier):
            self._keep(paths[-2], earlier, so_far)
        return so_far

    def _anew(self, task: ProductTask, parts: Sequence[Part]) -> Derived | Unusable:
        """The total over increments on different cut-outs, on what they share; nothing is kept."""
        whole = self._fields.inputs_apart(task)
        if isinstance(whole, Unusable):
            return whole
        total: Array | None = None
        for place, part in enumerate(parts):
            inputs: Inputs = {role: (fields[place],) for role, fields in whole.items()}
            total = plus(total, _increment(part, inputs))
        if total is None:
            raise InputMissing("there is no increment to make a total of")
        return Derived(_grid(whole), {"fill": total})

    def _kept(
        self, parts: Sequence[Part], paths: Sequence[Path], grid: Grid
    ) -> tuple[int, Array] | None:
        """The longest sum of the first *parts* that is kept, and of how many it is."""
        for count in range(len(paths), 0, -1):
            found = mapfile.load(paths[count - 1])
            if found is None:
                continue
            fill, offsets = found[1].get("fill"), found[1].get("offsets")
            sources = [source for part in parts[:count] for source in _sources(part)]
            if fill is None or offsets is None or len(offsets) != len(sources):
                continue
            if fill.dtype == np.float32 and fill.shape == grid.shape:
                self._fields.note_offsets(zip(sources, offsets.tolist(), strict=True))
                return count, fill
        return None

    def _keep(self, path: Path, parts: Sequence[Part], total: Array) -> None:
        known = self._fields.offsets
        sources = [source for part in parts for source in _sources(part)]
        if any(source not in known for source in sources):
            return  # an optional field was left out: what is kept must be whole
        offsets = np.array([known[source] for source in sources], np.int64)
        try:
            mapfile.save(path, {}, {"fill": total, "offsets": offsets})
        except OSError as error:
            _log.warning("render.total_not_kept", path=str(path), reason=str(error))

    def _paths(self, parts: Sequence[Part], grid: Grid) -> list[Path]:
        """Where the sum up to each part is kept; none where nothing can be kept."""
        job = self._job
        if not job.increment_dir:
            return []
        product = parts[0].product
        how = (REVISION, job.software, product.recipe, product.smooth_km)
        basis = (*how, job.cycle, grid.digest)
        digest = hashlib.sha256(repr(basis).encode())
        files: dict[str, str] = {}
        names = []
        try:
            for part in parts:
                digest.update(_identity(part, files).encode())
                names.append(digest.hexdigest()[:32])
        except OSError:
            return []  # decoding says what is wrong with the file
        directory = Path(job.increment_dir) / job.model / job.cycle
        return [directory / f"{name}.total" for name in names]


def _increment(task: ProductTask, inputs: Inputs) -> Array:
    """What one part adds, in the total's unit."""
    return INCREMENTS[task.product.recipe](smoothed(inputs, task.product.smooth_km))


def _cut_to(grid: Grid, inputs: Inputs) -> Inputs:
    """What of *inputs* lies on *grid*; as they are where they do not hold all of it."""
    return {role: tuple(cut_to(f, grid) or f for f in of) for role, of in inputs.items()}


def _parts(task: ProductTask) -> list[Part]:
    """The task of each increment by itself."""
    roles = tuple(task.inputs)
    together = zip(*task.inputs.values(), strict=True)
    return [
        replace(task, inputs={r: (s,) for r, s in zip(roles, sources, strict=True)})
        for sources in together
    ]


def _sources(part: Part) -> tuple[MessageSource, ...]:
    return tuple(source for (source,) in part.inputs.values())


def _hours(part: Part) -> int:
    """Length of the increment."""
    return max(source.key.end_h - source.key.start_h for source in _sources(part))


def _grid(*inputs: Inputs) -> Grid:
    fields: list[Field] = [field for each in inputs for of in each.values() for field in of]
    return common_grid(fields)


def _identity(part: Part, files: dict[str, str]) -> str:
    """Changes with every message, file or change of a file that the increment is made of.

    files  path -> its identity, of those that were looked at before
    """
    words = []
    for role, (source,) in part.inputs.items():
        if source.path not in files:
            status = Path(source.path).stat()
            files[source.path] = f"{source.path} {status.st_size} {status.st_mtime_ns}"
        words.append((role, str(source.key), files[source.path]))
    return repr(words)
