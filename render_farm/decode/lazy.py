"""Values of a file's messages as an array of xarray's, decoded when they are asked for."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing

from render_farm.decode.unpacking import unpack
from render_farm.domain.grib2 import MessageHead, field_bytes


def decoded_when_asked(
    path: Path, heads: tuple[MessageHead, ...], shape: tuple[int, ...]
) -> indexing.LazilyIndexedArray:
    """Values of *heads* for an `xr.Variable`, float32, NaN where missing.

    shape  (ny, nx) of one message, (len(heads), ny, nx) of one a level
    """
    return indexing.LazilyIndexedArray(_Messages(path, heads, shape))


class _Messages(BackendArray):
    """One message, or one a level, decoded when its values are asked for."""

    def __init__(self, path: Path, heads: tuple[MessageHead, ...], shape: tuple[int, ...]) -> None:
        self._path, self._heads = path, heads
        self.shape = shape
        self.dtype = np.dtype(np.float32)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> NDArray[np.float32]:
        """Decode what *key* covers; xarray's lazy arrays call it."""
        values: NDArray[np.float32] = indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self._select
        )
        return values

    def _select(self, key: tuple[Any, ...]) -> NDArray[np.float32]:
        if len(self.shape) == 2:
            return self._decode(self._heads[0], key)
        chosen = self._heads[key[0]]
        if isinstance(chosen, MessageHead):
            return self._decode(chosen, key[1:])
        return np.stack([self._decode(head, key[1:]) for head in chosen])

    def _decode(self, head: MessageHead, window: tuple[Any, ...]) -> NDArray[np.float32]:
        with self._path.open("rb") as file:
            raw = unpack(field_bytes(file, head), head.grid.digest, unit="").values
        part: NDArray[np.float32] = np.ascontiguousarray(raw, np.float32)[window]
        return part
