"""Jobs as bytes: what is sent of their files, and what lands of what comes back."""

import hashlib
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from render_farm.domain.grib2 import field_bytes, walk
from render_farm.domain.jobs import HourRendered, Reason
from render_farm.domain.sparsefile import read_sparse, wanted_spans, write_sparse
from render_farm.worker import entry, shipped
from render_farm.worker.scratch import scratch
from twf_async.farm.remote.shipping import Spoilt, TooLarge, land, ship

PRODUCTS = ["t2m", "t850"]


def heads(path):
    with path.open("rb") as stream:
        return list(walk(stream))


def copied(path, keys, target):
    size = path.stat().st_size
    with path.open("rb") as stream:
        spans = wanted_spans(stream, size, keys)
    file = read_sparse(str(path), spans, size)
    write_sparse(file, target)
    return file


@pytest.mark.parametrize("model", ["gfs", "hrrr"])
def test_a_sparse_copy_holds_every_message_where_it_was_and_the_wanted_ones_whole(
    model, real_file, tmp_path
):
    path = real_file(model, 6)
    whole = heads(path)
    wanted = {whole[3].key, whole[-2].key}

    file = copied(path, wanted, tmp_path / "copy")

    assert heads(tmp_path / "copy") == whole
    with path.open("rb") as original, (tmp_path / "copy").open("rb") as copy:
        for head in whole:
            same = field_bytes(original, head) == field_bytes(copy, head)
            assert same or head.key not in wanted
    data = sum(head.length for head in whole if head.key in wanted)
    assert data < file.sent_bytes < data + 1000 * len(whole)
    assert file.sent_bytes < path.stat().st_size / 2


def test_a_file_that_breaks_is_copied_whole_from_there(real_file, tmp_path):
    path, torn = real_file("gfs", 6), tmp_path / "torn"
    whole = heads(path)
    middle = whole[len(whole) // 2]
    content = bytearray(path.read_bytes())
    content[middle.offset : middle.offset + 4] = b"HTML"
    torn.write_bytes(content)

    copied(torn, {whole[0].key}, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes()[middle.offset :] == bytes(content[middle.offset :])
    assert (tmp_path / "copy").stat().st_size == len(content)


@pytest.fixture
def job(make_job, real_file):
    return make_job(real_file("gfs", 6), "gfs", "2026012912", 6, PRODUCTS, size=(240, 180))


@pytest.mark.parametrize(
    ("model", "cycle", "products"),
    [("gfs", "2026012912", PRODUCTS), ("hrrr", "2026012917", ["refc"])],
)
def test_frames_drawn_from_a_shipment_are_those_drawn_from_the_files(
    model, cycle, products, make_job, real_file, tmp_path, monkeypatch
):
    job = make_job(real_file(model, 6), model, cycle, 6, products, size=(240, 180))
    monkeypatch.setenv("TWF_CACHE_DIR", str(tmp_path / "cache"))
    here = entry.render(replace(job, staging_dir=str(tmp_path / "here")))

    outcome = land(job, shipped.draw(ship(job, limit_mb=100)))

    assert [frame.sha256 for frame in outcome.frames] == [frame.sha256 for frame in here.frames]
    assert len(outcome.frames) == len(products)
    for frame in outcome.frames:
        for file in (frame, frame.values):
            assert Path(file.path).parent == Path(job.staging_dir)
            assert hashlib.sha256(Path(file.path).read_bytes()).hexdigest() == file.sha256
    assert (tmp_path / "cache/pixelmaps").is_dir()


def test_messages_that_are_bad_or_gone_are_told_by_the_paths_of_the_service(
    job, real_file, tmp_path
):
    """Whoever takes them anew knows no other."""
    bad, gone = tmp_path / "bad.grib2", tmp_path / "gone.grib2"
    bad.write_bytes(real_file("gfs", 6).read_bytes()[:100_000])
    first, second = job.tasks
    tasks = [
        replace(
            task,
            inputs={
                role: tuple(replace(source, path=str(path)) for source in sources)
                for role, sources in task.inputs.items()
            },
        )
        for task, path in ((first, bad), (second, gone))
    ]
    job = replace(job, tasks=tuple(tasks))

    outcome = land(job, shipped.draw(ship(job, limit_mb=100)))

    assert isinstance(outcome, HourRendered)
    damaged, missing = outcome.failures
    assert damaged.reason is missing.reason is Reason.BAD_DATA
    assert {source.path for source in damaged.bad} == {str(bad)}
    assert {source.path for source in missing.bad} == {str(gone)}
    assert str(gone) in missing.detail


def test_nothing_is_kept_elsewhere_of_the_sums_that_the_service_keeps(job, tmp_path):
    kept = replace(job, increment_dir=str(tmp_path / "increments"))

    there, _ = shipped._unpack(ship(kept, limit_mb=100), tmp_path)

    assert there.increment_dir == ""


def test_a_shipment_is_unpacked_in_memory_where_that_has_room_for_it(job, tmp_path, monkeypatch):
    shipment = ship(job, limit_mb=100)
    monkeypatch.setattr(shipped, "MEMORY_DISK", tmp_path)
    assert shipped._roomy(shipment) == tmp_path

    monkeypatch.setattr(shipped, "SPARE", 1 << 40)

    assert shipped._roomy(shipment) == Path(tempfile.gettempdir())


def test_a_job_larger_than_may_be_sent_is_refused_before_it_is_read(job):
    with pytest.raises(TooLarge, match="farm.ship_limit_mb = 0.01"):
        ship(job, limit_mb=0.01)


def test_a_picture_that_did_not_come_back_whole_is_not_landed(job):
    returned = shipped.draw(ship(job, limit_mb=100))
    name = Path(returned.outcome.frames[0].path).name
    returned.files[name] = returned.files[name][:-1]

    with pytest.raises(Spoilt, match=name):
        land(job, returned)


def test_what_a_killed_worker_left_is_removed_and_what_a_living_one_works_in_is_not(tmp_path):
    script = (
        "import os, pathlib, signal, sys\n"
        "from render_farm.worker.scratch import scratch\n"
        "with scratch(pathlib.Path(sys.argv[1])) as directory:\n"
        "    (directory / 'file').touch()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path])
    (left,) = tmp_path.iterdir()

    with scratch(tmp_path) as first, scratch(tmp_path) as second:
        assert {*tmp_path.iterdir()} == {first, second}

    assert left not in {first, second}
    assert [*tmp_path.iterdir()] == []


def test_nothing_of_a_shipment_stays(job, tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "MEMORY_DISK", tmp_path / "none")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()

    shipped.draw(ship(job, limit_mb=100))

    assert [*(tmp_path / "scratch").iterdir()] == []
