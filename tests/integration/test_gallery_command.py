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
    files = (test_data / GFS, test_data / COARSE)
    done = twf(
        *("gallery", *files, "--model", "gfs", "--products", "t850,pwat"),
        *("--out", tmp_path / "out", "--size", "400x300", "--json"),
    )

    assert done.code == 3, done.err  # a field is missing, and told
    found = json.loads(done.out)
    cycles = {Path(path).name.split("_")[1] for path in found["pictures"]}
    assert cycles == {"2026012912", "2011100800"}
    assert any("pwat at f006: field missing: PWAT" in sentence for sentence in found["missing"])


def test_what_cannot_be_drawn_is_one_sentence(twf, test_data, tmp_path):
    done = twf("gallery", test_data / GFS, "--out", tmp_path / "out", "--products", "pwat")

    assert done.code == 2
    assert "nothing can be drawn: gfs: pwat at f006: field missing: PWAT" in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_gallery_of_which_not_one_picture_can_be_drawn_is_one_sentence(twf, test_data, tmp_path):
    spoilt = tmp_path / Path(GFS).name
    spoilt.write_bytes(packed_in_no_known_way((test_data / GFS).read_bytes()))

    done = twf("gallery", spoilt, "--out", tmp_path / "out", "--products", "t2m")

    assert done.code == 2
    assert "nothing could be drawn: gfs: t2m of pnw at f006: bad data: TMP:2 m" in done.err


def packed_in_no_known_way(grib):
    """The same messages, with a data representation template (section 5) that does not exist."""
    data, at = bytearray(grib), 0
    while at < len(data):
        section, end = at + 16, at + int.from_bytes(data[at + 8 : at + 16]) - 4
        while section < end:
            if data[section + 4] == 5:
                data[section + 9 : section + 11] = (9999).to_bytes(2)
            section += int.from_bytes(data[section : section + 4])
        at = end + 4
    return bytes(data)
