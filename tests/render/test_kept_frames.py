"""Frames that an attempt finished are kept by the next one, whatever ended the first."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from render_farm.domain.jobs import HourFailed, HourRendered, Reason
from render_farm.render.hour import render_hour
from render_farm.worker import entry

GFS = "2026012912"
PRODUCTS = ["t2m", "t850"]
REGIONS = ("pnw", "west")


@pytest.fixture
def job(make_job, real_file, catalog):
    job = make_job(real_file("gfs", 6), "gfs", GFS, 6, PRODUCTS)
    size = {"width_px": 240, "height_px": 180}
    return replace(
        job,
        regions=tuple(catalog["regions"][key].model_copy(update=size) for key in REGIONS),
        tasks=tuple(replace(task, regions=REGIONS) for task in job.tasks),
    )


def stamps(outcome):
    """Which files an outcome names, as they lie on the disk."""
    paths = [path for f in outcome.frames for path in (f.path, f.values.path)]
    return {path: (Path(path).stat().st_ino, Path(path).stat().st_mtime_ns) for path in paths}


def journal(job):
    lines = (Path(job.staging_dir) / "journal").read_bytes().split(b"\n")
    return [json.loads(line) for line in lines if line]


def forget(job, product):
    """The journal as it is when the process dies while it makes *product*, which is last."""
    path = Path(job.staging_dir) / "journal"
    lines = [line for line in journal(job) if line.get("finished", {}).get("product") != product]
    path.write_text("".join(f"\n{json.dumps(line)}" for line in lines) + '\n{"finis')


def test_a_second_attempt_draws_only_what_lacks_and_answers_for_everything(job):
    first = render_hour(job)
    last = journal(job)[-1]["finished"]["product"]
    before = stamps(first)
    forget(job, last)

    again = render_hour(job, go_on=True)

    changed = {path for path, stamp in stamps(again).items() if before[path] != stamp}
    assert {Path(path).stem for path in changed} == {f"{region}.{last}" for region in REGIONS}
    assert [(f.product, f.sha256, f.values.sha256) for f in again.frames] == [
        (f.product, f.sha256, f.values.sha256) for f in first.frames
    ]


def test_what_was_being_made_when_the_worker_died_comes_last(job):
    render_hour(job)
    (suspect, *_) = [line["started"] for line in journal(job) if "started" in line]
    path = Path(job.staging_dir) / "journal"
    path.write_text(f'\n{{"started": "{suspect}"}}')

    render_hour(job, go_on=True)

    assert [line["started"] for line in journal(job) if "started" in line][-1] == suspect


@pytest.mark.parametrize("damage", ["picture cut", "picture gone", "values changed"])
def test_a_frame_whose_files_are_not_what_the_journal_says_is_drawn_again(job, damage):
    first = render_hour(job)
    victim = first.frames[0]
    match damage:
        case "picture cut":
            Path(victim.path).write_bytes(Path(victim.path).read_bytes()[:-9])
        case "picture gone":
            Path(victim.path).unlink()
        case "values changed":
            data = Path(victim.values.path).read_bytes()
            Path(victim.values.path).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    again = render_hour(job, go_on=True)

    assert [f.sha256 for f in again.frames] == [f.sha256 for f in first.frames]
    assert Path(victim.path).stat().st_size == victim.bytes
    assert [line["started"] for line in journal(job) if "started" in line][-1] == victim.product


def test_a_first_attempt_keeps_nothing_of_what_lay_there_before(job):
    before = stamps(render_hour(job))

    after = stamps(render_hour(job))

    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())


def test_a_job_that_is_given_up_leaves_what_was_finished(job):
    render_hour(job)
    last = journal(job)[-1]["finished"]["product"]
    forget(job, last)

    outcome = entry.salvage(job, Reason.WORKER_DIED, "the worker died twice")

    assert isinstance(outcome, HourRendered)
    assert {f.product for f in outcome.frames} == {*PRODUCTS} - {last}
    assert [(f.region, f.product, f.reason, f.detail) for f in outcome.failures] == [
        (region, last, Reason.WORKER_DIED, "the worker died twice") for region in REGIONS
    ]


def test_a_job_that_is_given_up_with_nothing_finished_has_failed(job, tmp_path):
    nowhere = replace(job, staging_dir=str(tmp_path / "never"))

    outcome = entry.salvage(nowhere, Reason.TIMED_OUT, "too slow")

    assert outcome == HourFailed("gfs", GFS, 6, Reason.TIMED_OUT, "too slow")


def test_a_journal_that_cannot_be_written_costs_no_frame(job):
    (Path(job.staging_dir) / "journal").mkdir(parents=True)

    outcome = render_hour(job)

    assert len(outcome.frames) == 4
    assert len(render_hour(job, go_on=True).frames) == 4
