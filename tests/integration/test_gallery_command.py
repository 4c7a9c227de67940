"""`twf-async gallery`: pictures, contact sheets and a page to look at."""

import json
from pathlib import Path

import cv2

from render_farm.encode.png import read_texts

GFS = "nomads/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
COARSE = "gfs-2p5/gfs.20111008.t00z.pgrbf072.2p5deg.grib2"


def test_the_demo_atmosphere_of_every_model(twf, demo_cache, tmp_path):
    done = twf(
        *("gallery", "--out", tmp_path / "out", "--products", "t2m,refc", "--size", "400x300"),
        "--json",
        **demo_cache,
    )

    assert done.code == 0, done.err
    found = json.loads(done.out)
    names = [path.rpartition("/")[2].split("_") for path in found["pictures"]]
    assert [(name[0], name[3]) for name in names] == [
        ("gfs", "refc"),
        ("hrrr", "refc"),
        ("gfs", "t2m"),
        ("aigfs", "t2m"),
        ("hrrr", "t2m"),
    ]
    assert read_texts(Path(found["pictures"][0]).read_bytes())["notice"] == "synthetic demo data"
    assert found["missing"] == []
    assert cv2.imread(found["contact_sheet"]).shape[1] > 2 * 380
    assert "gfs_" in Path(found["index"]).read_text()


def test_real_files_of_several_runs_some_of_whom_need_their_model(twf, test_data, tmp_path):
    done = twf(
        *("gallery", test_data / GFS, test_data / COARSE, "--model", "gfs", "--products", "t850"),
        *("--out", tmp_path / "out", "--size", "400x300", "--json"),
    )

    assert done.code == 0, done.err
    cycles = {Path(path).name.split("_")[1] for path in json.loads(done.out)["pictures"]}
    assert cycles == {"2026012912", "2011100800"}


def test_what_cannot_be_drawn_is_one_sentence(twf, test_data, tmp_path):
    done = twf("gallery", test_data / GFS, "--out", tmp_path / "out", "--products", "pwat")

    assert done.code == 2
    assert "nothing can be drawn: gfs: pwat at f006: field missing: PWAT" in done.err
    assert len(done.err.strip().splitlines()) == 1
