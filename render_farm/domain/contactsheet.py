"""Many pictures on one: what is wanted of a worker. Plain, frozen, picklable."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """One place on a sheet: the picture at *path* (None: the place stays empty), and its label."""

    label: str
    path: str | None


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """A sheet to be made: thumbnails row by row, *columns* of them, each *width_px* wide.

    ratio  height of a thumbnail's room by its width; pictures of another shape are made smaller
    """

    thumbnails: tuple[Thumbnail, ...]
    columns: int
    width_px: int
    ratio: float
    target: str
