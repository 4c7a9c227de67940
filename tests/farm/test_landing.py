"""What comes back from a cluster is on this disk, whole, before anybody is told of it."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from render_farm.domain.jobs import (
    Frame,
    HourFailed,
    HourRendered,
    Reason,
    RenderJob,
    ValueGridFile,
)
from render_farm.domain.shipment import Returned
from render_farm.domain.style import Style
from twf_async.farm.losses import Cause, Loss, Losses
from twf_async.farm.remote.attempts import RemoteAttempts
from twf_async.farm.remote.shipping import Spoilt, land
from twf_async.farm.remote.slot import RemoteSlot

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


class Answering(ThreadPoolExecutor):
    """Whatever is sent, the answer is there already."""

    def __init__(self, answer):
        super().__init__(1)
        self.answer = answer

    def submit(self, *_):
        return super().submit(lambda: self.answer)


async def attempted(job, returned):
    """What becomes of a job that is answered so."""
    attempts = RemoteAttempts(
        "tcp://nowhere:1", is_calm=lambda: True, job_timeout_s=60.0, ship_limit_mb=100.0
    )
    with Answering(returned) as executor:
        attempts.cluster._offer(RemoteSlot(1, "tcp://worker:1", executor))
        outcome = await attempts.attempt(job, Losses(), lambda: None)
    await attempts.stop(kill=True)
    return outcome


async def test_a_job_of_which_something_spoilt_came_back_is_lost_like_one_that_raised(
    job, returned
):
    returned.files.clear()

    loss = await attempted(job, returned)

    assert loss == Loss(Cause.RAISED, "pnw.t2m.png did not come back as it was drawn")


async def test_a_job_that_failed_elsewhere_is_lost_with_the_reason_that_was_given(job):
    failed = HourFailed("gfs", CYCLE, 6, Reason.OUT_OF_MEMORY, "the worker ran out of memory")

    loss = await attempted(job, Returned(failed, {}))

    assert loss == Loss(Cause.RAISED, failed.detail, reason=Reason.OUT_OF_MEMORY)


def test_nothing_lands_beside_the_directory_of_its_job(job, returned, tmp_path):
    outcome = returned.outcome
    (frame,) = outcome.frames
    elsewhere = tmp_path / "pnw.t2m.png"
    moved = replace(outcome, frames=(replace(frame, path=str(elsewhere)),))

    with pytest.raises(Spoilt, match=r"pnw\.t2m\.png"):
        land(job, replace(returned, outcome=moved))

    assert not elsewhere.exists()
