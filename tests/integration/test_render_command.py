"""`twf-async render`: maps straight from files."""

import json
import shutil

import cv2
import pytest

from render_farm.encode.png import read_texts
from render_farm.values.grid import decode

GFS = "nomads/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25"
HRRR = "nomads/pub/data/nccf/com/hrrr/prod/hrrr.20260129/conus/hrrr.t17z.wrfsfcf06.grib2"


def test_a_map_straight_from_the_file(twf, test_data, tmp_path):
    done = twf(
        *("render", test_data / f"{GFS}.f006", "--product", "t850", "--region", "pnw"),
        *("--out", tmp_path / "out"),
    )

    assert done.code == 0, done.err
    picture = tmp_path / "out" / "gfs_2026012912_pnw_t850_f006.png"
    assert done.out.strip() == str(picture)
    assert cv2.imread(str(picture)).shape == (1200, 1600, 3)
    assert list((tmp_path / "out").iterdir()) == [picture]


def test_size_and_several_hours(twf, test_data, tmp_path):
    done = twf(
        *("render", test_data / f"{GFS}.f000", test_data / f"{GFS}.f006", "--product", "t2m"),
        *("--region", "pnw", "--out", tmp_path / "out", "--size", "800x600", "--json"),
    )

    assert done.code == 0, done.err
    written = json.loads(done.out)["written"]
    assert [path[-8:] for path in written] == ["f000.png", "f006.png"]
    assert cv2.imread(written[0]).shape == (600, 800, 3)


def test_several_products_and_regions_at_once(twf, test_data, tmp_path):
    done = twf(
        *(
            "render",
            test_data / f"{GFS}.f006",
            "--product",
            "t2m,t850",
            "--region",
            "pnw,puget_sound",
        ),
        *("--out", tmp_path / "out", "--size", "400x300", "--json"),
    )

    assert done.code == 0, done.err
    names = [path.rpartition("/")[2] for path in json.loads(done.out)["written"]]
    assert sorted(names) == [
        f"gfs_2026012912_{region}_{product}_f006.png"
        for region in ("pnw", "puget_sound")
        for product in ("t2m", "t850")
    ]


def test_the_values_beside_the_pictures_where_they_are_asked_for(twf, test_data, tmp_path):
    done = twf(
        *("render", test_data / f"{GFS}.f006", "--product", "t2m", "--region", "pnw"),
        *("--out", tmp_path / "out", "--size", "400x300", "--values"),
    )

    assert done.code == 0, done.err
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == [f"gfs_2026012912_pnw_t2m_f006.{kind}" for kind in ("png", "vgrid")]
    grid = decode((tmp_path / "out" / written[1]).read_bytes())
    assert (grid.about.product, grid.about.hour, grid.about.unit) == ("t2m", 6, "K")
    assert 260 < grid.value_at(47.6, -122.3) < 290  # Seattle in January


def test_another_look_for_once(twf, test_data, tmp_path):
    arguments = ("render", test_data / f"{GFS}.f006", "--product", "t2m", "--region", "pnw")

    done = twf(
        *(*arguments, "--out", tmp_path, "--size", "400x300"),
        *("--base", "dark", "--units", "metric", "--palette", "accessible"),
    )
    wrong = twf(*arguments, "--out", tmp_path, "--units", "furlongs")

    assert done.code == 0, done.err
    picture = tmp_path / "gfs_2026012912_pnw_t2m_f006.png"
    assert cv2.imread(str(picture))[2, 2].max() < 60
    assert read_texts(picture.read_bytes())["unit"] == "°C"
    assert wrong.code == 2
    assert "'imperial', 'metric'" in wrong.err


def test_two_hectopascals_never_end_on_a_2_m_map(twf, test_data, tmp_path):
    """f000 holds TMP:2 mb first; a map of it would be far below -40 degrees."""
    done = twf(
        *("render", test_data / f"{GFS}.f000", "--product", "t2m", "--region", "pnw"),
        *("--out", tmp_path / "out"),
    )

    assert done.code == 0
    blob = (tmp_path / "out" / "gfs_2026012912_pnw_t2m_f000.png").read_bytes()
    assert b"TMP:2 m above ground" in blob
    assert b"TMP:2 mb" not in blob


def test_a_field_that_is_missing_is_named(twf, test_data, tmp_path):
    done = twf(
        *("render", test_data / f"{GFS}.f006", "--product", "wind10m", "--region", "pnw"),
        *("--out", tmp_path / "out"),
    )

    assert done.code == 3
    assert "field missing: UGRD:10 m above ground:6 hour fcst" in done.err


def test_a_total_at_hour_0_is_not_applicable_and_not_missing(twf, test_data, tmp_path):
    done = twf(
        *("render", test_data / f"{GFS}.f000", "--product", "precip_total", "--region", "pnw"),
        *("--out", tmp_path / "out"),
    )

    assert done.code == 0
    assert "not applicable" in done.err


def test_a_renamed_file_needs_the_model(twf, test_data, tmp_path):
    copy = tmp_path / "mystery.grib2"
    shutil.copy(test_data / HRRR, copy)
    arguments = ("render", copy, "--product", "refc", "--region", "pnw", "--out", tmp_path / "out")

    unnamed = twf(*arguments)
    named = twf(*arguments, "--model", "hrrr")

    assert unnamed.code == 2
    assert "add --model hrrr if it is of hrrr" in unnamed.err
    assert named.code == 0, named.err


@pytest.mark.parametrize("content", [b"", b"<html>not here</html>", b"GRIB\x00\x00\x00\x02"])
def test_what_is_no_grib_gets_one_sentence(twf, tmp_path, content):
    bad = tmp_path / "gfs.t12z.pgrb2.0p25.f006"
    bad.write_bytes(content)

    done = twf(*("render", bad, "--product", "t2m", "--region", "pnw", "--out", tmp_path / "out"))

    assert done.code == 2
    assert "not a whole GRIB2 file" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_truncated_file_is_refused(twf, test_data, tmp_path):
    whole = (test_data / f"{GFS}.f006").read_bytes()
    bad = tmp_path / "gfs.t12z.pgrb2.0p25.f006"
    bad.write_bytes(whole[:-1000])

    done = twf(*("render", bad, "--product", "t2m", "--region", "pnw", "--out", tmp_path / "out"))

    assert done.code == 2


def test_bad_words_are_told_with_the_good_ones(twf, test_data, tmp_path):
    file = test_data / f"{GFS}.f006"
    out = ("--out", tmp_path / "out")

    product = twf("render", file, "--product", "t3m", "--region", "pnw", *out)
    region = twf("render", file, "--product", "t2m", "--region", "mars", *out)
    size = twf("render", file, "--product", "t2m", "--region", "pnw", "--size", "1", *out)

    assert (product.code, region.code, size.code) == (2, 2, 2)
    assert "there is no product 't3m'; did you mean 't2m'?\n" in product.err
    assert "there is no region 'mars'; there are: pnw" in region.err
    assert "WIDTHxHEIGHT" in size.err


def test_of_many_missing_fields_the_first_are_named_and_the_rest_counted(twf, test_data, tmp_path):
    coarse = test_data / "gfs-2p5/gfs.20111008.t00z.pgrbf072.2p5deg.grib2"

    done = twf(
        "render", coarse, "--model", "gfs", "--product", "snow_kuchera", "--region", "pnw",
        "--out", tmp_path,
    )  # fmt: skip

    assert done.code == 3
    assert "CSNOW" not in done.err  # four of the twelve buckets of APCP stand for all
    assert "APCP:surface:18-24 hour acc fcst and 84 more" in done.err
