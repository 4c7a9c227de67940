"""The benchmark's figures beside the bars that the renderer is held to."""

import pytest

from twf_async.app.bench.bars import frame_line, summary
from twf_async.app.bench.figures import Figures, FrameFigures, HourFigures, MemoryFigures
from twf_async.app.bench.report import document, table


def frame(product="t2m", *, model="gfs", cpu_ms=20.0, size=200_000, size_px=(1700, 1300)):
    return FrameFigures(model, product, "pnw", *size_px, cpu_ms, cpu_ms + 1, size, 0.9, 2_000)


def hour(model="gfs", cpu_ms=900.0):
    return HourFigures(model, "2026012712", 30, 21, cpu_ms, cpu_ms + 50, 60.0, 200.0, 640.0, 1200.0)


def figures(*frames, hours=(), peak=180.0):
    return Figures(frames or (frame(),), hours or (hour(),), peak, 140.0, ())


def kept(lines):
    return {line.what: line.kept for line in lines if line.bar is not None}


@pytest.mark.parametrize(
    ("product", "bar"),
    [
        *(("t2m", 30), ("precip_total", 30), ("refc", 30)),
        *(("wind10m", 90), ("t850", 90), ("mslp_ptype", 90)),
        *(("td2m", 100), ("an_operators_own", 100)),
    ],
)
def test_every_product_has_its_bar(product, bar):
    assert frame_line(frame(product)).bar == bar


def test_a_bar_is_kept_up_to_itself_and_missed_beyond():
    assert frame_line(frame(cpu_ms=30.0)).kept
    assert not frame_line(frame(cpu_ms=30.1)).kept


def test_hours_sizes_and_memory_are_held_to_theirs():
    heavy = figures(
        frame(size=100_000),
        frame("td2m", size=510_000),
        hours=(hour(cpu_ms=1600), hour("hrrr", cpu_ms=2900), hour("aigfs", cpu_ms=9000)),
        peak=260.0,
    )

    assert kept(summary(heavy, None)) == {
        "gfs f030, 21 frames, decoding included": False,
        "gfs f030, first frame of a fresh worker": True,
        "gfs f030, a region's caches from nothing": True,
        "hrrr f030, 21 frames, decoding included": True,
        "hrrr f030, first frame of a fresh worker": True,
        "hrrr f030, a region's caches from nothing": True,
        "aigfs f030, first frame of a fresh worker": True,
        "aigfs f030, a region's caches from nothing": True,
        "PNG, median of the frames": False,
        "PNG, largest": False,
        "value grid, median of GFS": True,
        "worker, resident when warm": True,
        "worker, peak resident": False,
    }


def test_the_table_marks_what_misses_its_bar_and_nothing_else():
    rows = list(table(figures(frame(cpu_ms=31), frame("td2m", cpu_ms=31)), None))

    assert [row.split()[1] for row in rows if row.endswith("ABOVE")] == ["t2m"]


def test_a_picture_too_large_is_marked_in_its_row():
    rows = list(table(figures(frame(size=500_001)), None))

    assert any(row.startswith("gfs t2m pnw") and row.endswith("ABOVE") for row in rows)


def test_other_sizes_are_told_to_be_beside_the_bars():
    small = list(table(figures(frame(size_px=(800, 600))), None))

    assert any("1700x1300" in row for row in small)
    assert not any("meant for" in row for row in table(figures(), None))


def test_the_json_has_what_was_agreed_and_every_bar():
    memory = MemoryFigures(((500, 150.0), (1000, 150.2)), 0.04)

    found = document(figures(), memory)

    row = found["results"][0]
    assert (row["model"], row["product"], row["region"]) == ("gfs", "t2m", "pnw")
    assert (row["size"], row["cpu_ms"], row["bytes"]) == ("1700x1300", 20.0, 200_000)
    assert (found["decode_cpu_ms"], found["peak_rss_mb"]) == (60.0, 180.0)
    assert found["memory"] == {
        "rss_mb": {"500": 150.0, "1000": 150.2},
        "slope_mb_per_1000_frames": 0.04,
    }
    assert {bar["what"] for bar in found["bars"]} >= {"gfs t2m pnw", "worker, peak resident"}
    assert all(bar["kept"] for bar in found["bars"])
