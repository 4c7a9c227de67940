"""`twf-async bench render`: that it measures what it says; never how fast this machine is."""

import json

import pytest

GFS = "nomads/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
HRRR = "nomads/pub/data/nccf/com/hrrr/prod/hrrr.20260129/conus/hrrr.t17z.wrfsfcf{:02d}.grib2"
QUICK = ("--repeat", "1", "--size", "400x300", "--json")
ROW = {"model", "product", "region", "size", "cpu_ms", "wall_ms", "bytes"}


def figures(done):
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_files_of_several_models_and_cycles_are_measured_together(twf, test_data):
    found = figures(
        twf(
            *("bench", "render", test_data / GFS, test_data / HRRR.format(1)),
            *(test_data / HRRR.format(6), "--products", "t2m,refc,precip_total", *QUICK),
        )
    )

    rows = {(row["model"], row["product"]): row for row in found["results"]}
    assert set(rows) == {
        ("gfs", "t2m"),
        ("hrrr", "t2m"),
        ("hrrr", "refc"),
        ("hrrr", "precip_total"),
    }
    for row in rows.values():
        assert row.keys() >= ROW
        assert (row["region"], row["size"]) == ("pnw", "400x300")
        assert 0 < row["cpu_ms"] < 10_000
        assert row["wall_ms"] > 0
        assert 1000 < row["bytes"] < 400 * 300
    assert found["decode_cpu_ms"] > 0
    assert found["peak_rss_mb"] > 20
    assert any("gfs: refc at f006: field missing: REFC" in text for text in found["missing"])


def test_without_files_the_demo_atmosphere_of_every_model_is_drawn(twf, demo_cache):
    found = figures(twf("bench", "render", "--products", "t2m", *QUICK, **demo_cache))

    assert [row["model"] for row in found["results"]] == ["gfs", "aigfs", "hrrr"]
    assert found["failures"] == []


def test_memory_is_watched_over_many_frames(twf, test_data):
    found = figures(twf("bench", "render", test_data / GFS, "--frames", "12", *QUICK))

    resident = found["memory"]["rss_mb"]
    assert [int(frames) for frames in resident] == sorted(int(frames) for frames in resident)
    assert max(int(frames) for frames in resident) >= 12
    assert all(mb > 20 for mb in resident.values())
    assert "slope_mb_per_1000_frames" in found["memory"]


def test_people_get_a_table_with_the_bars(twf, test_data):
    done = twf("bench", "render", test_data / GFS, "--repeat", "1", "--size", "400x300")

    assert done.code == 0, done.err
    assert "gfs t2m pnw" in done.out
    assert "gfs f006, a region's caches from nothing" in done.out
    assert "worker, peak resident" in done.out
    assert "(bar 250)" in done.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--products", "t2n"), "there is no product 't2n'; did you mean 't2m'?"),
        (("--region", "pwn"), "there is no region 'pwn'; did you mean 'pnw'?"),
        (("--products", "wind10m"), "nothing can be drawn: gfs: wind10m at f006: field missing"),
        (("--model", "icon"), "there is no model 'icon'"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(arguments, sentence, twf, test_data):
    done = twf("bench", "render", test_data / GFS, *arguments, *QUICK)

    assert done.code == 2
    assert sentence in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert json.loads(done.out) == {"error": done.err.strip(), "exit_code": 2}


def test_a_file_that_is_no_grib_is_one_sentence(twf, tmp_path):
    bad = tmp_path / "gfs.t12z.pgrb2.0p25.f006"
    bad.write_text("<html>")

    done = twf("bench", "render", bad, *QUICK)

    assert done.code == 2
    assert "not a whole GRIB2 file" in done.err
