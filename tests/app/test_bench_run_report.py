"""A whole run's figures beside the bars that the service is held to."""

from dataclasses import replace

import pytest

from twf_async.app.bench.run_report import run_document, run_lines, run_table
from twf_async.app.bench.tree import Role
from twf_async.app.bench.whole_run import Held, RunFigures

RUN = RunFigures(
    model="gfs",
    cycle="2026012712",
    regions=("pnw", "west", "conus"),
    products=21,
    workers=2,
    cores=2,
    whole=True,
    hours=85,
    from_cache=85,
    grib_mb=280.0,
    frames=5_300,
    published=5_300,
    missing=0,
    png_bytes=(100_000, 150_000, 400_000),
    grid_bytes=30_000_000,
    ready_s=2.0,
    wall_s=150.0,
    service_s=12.0,
    forkserver_s=1.0,
    workers_s=265.0,
    others_s=3.0,
    held=(
        Held(Role.SERVICE, 1, 60.0, 55.0, 61.0),
        Held(Role.WORKER, 2, 280.0, 240.0, 150.0),
    ),
    peak_mb=400.0,
    median_mb=380.0,
    worker_rss_mb=210.0,
    read_mb=0.0,
    written_mb=900.0,
    iowait_pct=1.0,
    some_pct=3.0,
    full_pct=0.5,
    told=(),
)


def kept(figures):
    return {line.what: line.kept for line in run_lines(figures) if line.bar is not None}


def test_memory_time_and_disk_have_their_bars_and_are_kept_up_to_them():
    on_the_bar = replace(RUN, peak_mb=700.0, wall_s=300.0, iowait_pct=10.0)
    beyond = replace(RUN, peak_mb=700.1, wall_s=300.1, iowait_pct=10.1)

    assert set(kept(on_the_bar).values()) == {True}
    assert {what for what, is_kept in kept(beyond).items() if not is_kept} == {
        "all processes, PSS at most",
        "run, from found to ended",
        "I/O wait of the machine",
    }


@pytest.mark.parametrize(
    "other",
    [
        {"whole": False, "hours": 4},
        {"regions": ("pnw",)},
        {"cores": 4},
        {"model": "hrrr"},
    ],
)
def test_the_time_of_another_run_is_beside_no_bar(other):
    assert "run, from found to ended" not in kept(replace(RUN, **other))


def test_a_kernel_that_does_not_tell_of_waiting_is_held_to_nothing():
    silent = replace(RUN, iowait_pct=None, some_pct=None, full_pct=None)

    assert not any("wait" in line.what for line in run_lines(silent))


def test_the_work_of_a_frame_is_that_of_workers_and_service_apart():
    values = {line.what: line.value for line in run_lines(RUN)}

    assert values["a frame, decoding and all else included"] == pytest.approx(50.0)
    assert values["the service's work for a frame"] == pytest.approx(12_000 / 5_300)


def test_the_table_says_who_holds_what_and_marks_what_misses_its_bar():
    rows = list(run_table(replace(RUN, peak_mb=750.0, told=(("farm.job_lost", 2),))))

    assert [row.split("  ")[0] for row in rows if row.endswith("ABOVE")] == [
        "all processes, PSS at most"
    ]
    assert any("of it 2 workers" in row and "240 of it anonymous" in row for row in rows)
    assert "in the log: farm.job_lost 2x" in rows


def test_the_json_has_every_figure_and_bar():
    found = run_document(RUN)

    assert (found["peak_mb"], found["wall_s"], found["frames"]) == (400.0, 150.0, 5_300)
    assert found["png_bytes"] == {"median": 150_000, "max": 400_000, "sum": 650_000}
    assert found["held"][1] == {
        "role": "worker",
        "processes": 2,
        "pss_mb": 280.0,
        "anon_mb": 240.0,
        "most_mb": 150.0,
    }
    assert {bar["bar"] for bar in found["bars"]} == {700.0, 300.0, 10.0, 250.0}
