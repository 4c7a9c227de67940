"""Complete GRIB2 messages of the synthetic atmosphere: whole grids, and cut-outs of them."""

from collections.abc import Iterator, Sequence

import numpy as np

from twf_async.replica.atmosphere.atmosphere import Atmosphere, Part
from twf_async.replica.atmosphere.inventory import Message
from twf_async.replica.atmosphere.models import ModelFile
from twf_async.replica.atmosphere.product import code_of, section_1, section_4
from twf_async.replica.atmosphere.spatial import pack_constant, pack_mask, pack_spatial
from twf_async.replica.packing import pack
from twf_async.replica.sections import Sections
from twf_async.replica.subgrid import Subgrid, subgrid
from twf_async.replica.tree import CropBox


def whole(atmosphere: Atmosphere, file: ModelFile, message: Message) -> bytes:
    """Return a message of a static file: *message.length* octets."""
    grid, packing = file.model.grid, message.packing
    head = _head(file, message, grid.section_3)
    if packing.bits == 0:
        return head.replaced(pack_constant(grid.nx * grid.ny, 0.0))
    part = (0, 0, grid.ny, grid.nx)
    values = atmosphere.fields(file.model, file.cycle, file.hour, part).values(message.key)
    if packing.bits == 1:
        return head.replaced(pack_mask(values))
    rest = sum(map(len, head.bodies.values())) + 16 + 4
    return head.replaced(pack_spatial(values, packing.scale, message.length - rest))


def cut(
    atmosphere: Atmosphere, file: ModelFile, wanted: Sequence[Message], box: CropBox
) -> Iterator[bytes]:
    """Yield the messages cut to *box*, as the grib filter does."""
    grid = file.model.grid
    area = subgrid(grid.section_3, box)
    part = _part(area)
    south_first = area.rows[0] <= area.rows[-1]
    fields = atmosphere.fields(file.model, file.cycle, file.hour, part)
    for message in wanted:
        head = _head(file, message, area.section_3)
        if message.packing.bits == 0:
            yield head.replaced(pack_constant(part[2] * part[3], 0.0))
            continue
        values = fields.values(message.key)
        ordered = values if south_first else values[::-1]
        yield head.replaced(pack(ordered.astype(np.float64), message.packing.scale))


def _part(area: Subgrid) -> Part:
    """Return the rows and columns of the model's grid; columns may run past the last one."""
    return int(area.rows.min()), int(area.columns[0]), area.rows.size, area.columns.size


def _head(file: ModelFile, message: Message, section_3: bytes) -> Sections:
    return Sections(
        code_of(file.model, message.key).discipline,
        {
            1: section_1(file.cycle),
            3: section_3,
            4: section_4(file.model, file.cycle, file.hour, message.key),
        },
    )
