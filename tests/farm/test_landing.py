"""What comes back from a cluster is on this disk, whole, before anybody is told of it."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from render_farm.domain.jobs import Frame, HourRendered, RenderJob, ValueGridFile
from render_farm.domain.shipment import Returned
from render_farm.domain.style import Style
from twf_async.farm.remote.shipping import Spoilt, land

CYCLE = "2026012912"
FILES = {"pnw.t2m.png": b"a picture", "pnw.t2m.vgrid": b"its values"}


def digest(name):
    return hashlib.sha256(FILES[name]).hexdigest()


@pytest.fixture
def job(tmp_path):
    staging = tmp_path / "staging"
    return RenderJob(
        "gfs", "GFS", CYCLE, 6, (), (), (), Style(), str(staging), str(tmp_path / "maps")
    )


@pytest.fixture
def returned(job):
    """One frame with its values, as a worker that is elsewhere has drawn it."""
    picture, grid = (str(Path(job.staging_dir) / name) for name in FILES)
    values = ValueGridFile(grid, len(FILES["pnw.t2m.vgrid"]), digest("pnw.t2m.vgrid"))
    size = len(FILES["pnw.t2m.png"])
    frame = Frame("pnw", "t2m", picture, size, digest("pnw.t2m.png"), 3, 2, 0.0, values=values)
    return Returned(HourRendered("gfs", CYCLE, 6, (frame,), (), 0.0, 0.0, 0.0, 1), dict(FILES))


def test_every_file_is_flushed_when_it_has_landed(job, returned, monkeypatch):
    """Publishing only renames it, so after a power cut it would be online and empty."""
    flush, flushed = os.fsync, {}

    def fsync(descriptor):
        flush(descriptor)
        place = Path(f"/proc/self/fd/{descriptor}").readlink()
        flushed[place.name] = os.fstat(descriptor).st_size

    monkeypatch.setattr(os, "fsync", fsync)

    land(job, returned)

    assert flushed == {name: len(content) for name, content in FILES.items()}


def test_nothing_lands_beside_the_directory_of_its_job(job, returned, tmp_path):
    outcome = returned.outcome
    (frame,) = outcome.frames
    elsewhere = tmp_path / "pnw.t2m.png"
    moved = replace(outcome, frames=(replace(frame, path=str(elsewhere)),))

    with pytest.raises(Spoilt, match=r"pnw\.t2m\.png"):
        land(job, replace(returned, outcome=moved))

    assert not elsewhere.exists()
