"""`twf-async run` over real messages: what is there is published, what is not says why."""

import json

import cv2
import pytest

from render_farm.values.grid import decode

GFS, HRRR = "2026012912", "2026012917"


OF_GFS = ("run", "--model", "gfs", "--cycle", GFS, "--hours", "0,6", "--json")


@pytest.fixture(scope="module")
def gfs(rehearse):
    """Hours 0 and 6, drawn once: the command line and how it went."""
    twf = rehearse("gfs")
    return twf, twf(*OF_GFS)


@pytest.fixture(scope="module")
def hrrr(rehearse):
    """Hours 0, 1 and 6."""
    twf = rehearse("hrrr")
    return twf, twf("run", "--model", "hrrr", "--cycle", HRRR, "--hours", "0,1,6")


def test_gfs_publishes_what_the_files_hold_through_the_filter(gfs):
    twf, done = gfs

    assert done.code == 3, done.err
    assert set(twf.published("gfs", GFS)) == {
        ("t2m", "f000"),
        ("t2m", "f006"),
        ("t850", "f006"),
    }
    report = json.loads(done.out)
    assert {frame["reason"] for frame in report["missing"]} == {"field missing"}
    # At hour 0 three amounts of precipitation and two of snow, at hour 6 what fell in 24 h.
    assert report["not_applicable"] == 6
    fetched = [line for line in done.log if line["event"] == "fetch.finished"]
    assert {line["method"] for line in fetched} == {"FILTERED"}


def test_hrrr_publishes_what_the_files_hold(hrrr):
    twf, done = hrrr

    assert done.code == 3, done.err
    assert set(twf.published("hrrr", HRRR)) == {
        ("t2m", "f000"),
        ("t2m", "f001"),
        ("refc", "f001"),
        ("refc", "f006"),
        ("precip_total", "f006"),
        ("precip_6h", "f006"),
    }
    assert "missing pnw/t2m/f006: field missing" in done.err


def test_every_published_picture_is_whole_and_of_the_regions_size(hrrr):
    twf, _ = hrrr

    pictures = twf.published("hrrr", HRRR)
    assert len(pictures) == 6
    for path in pictures.values():
        assert cv2.imread(str(path)).shape == (1200, 1600, 3)


def test_the_values_lie_beside_every_published_picture(hrrr):
    twf, _ = hrrr

    frames = twf.manifest("hrrr", HRRR)["frames"]["pnw"]
    for (product, hour), path in twf.published("hrrr", HRRR).items():
        grid = decode(path.with_suffix(".vgrid").read_bytes())
        assert (grid.about.model, grid.about.product) == ("hrrr", product)
        assert f"f{grid.about.hour:03d}" == hour
        assert grid.grid.kind == "lambert"
        size = path.with_suffix(".vgrid").stat().st_size
        assert frames[product][hour]["values"]["bytes"] == size


def test_only_what_was_asked_is_made(rehearsal):
    done = rehearsal(
        *("run", "--model", "gfs", "--cycle", GFS),
        *("--hours", "6", "--products", "t2m", "--regions", "pnw"),
    )

    assert done.code == 0, done.err
    assert set(rehearsal.published("gfs", GFS)) == {("t2m", "f006")}


def test_a_second_run_draws_and_downloads_nothing_again(gfs):
    twf, first = gfs
    before = {p: f.stat().st_mtime_ns for p, f in twf.published("gfs", GFS).items()}

    again = twf(*OF_GFS)

    assert json.loads(first.out)["drawn"] == 3
    assert json.loads(again.out)["drawn"] == 0
    assert not [line for line in again.log if line.get("method") in {"FILTERED", "RANGES"}]
    assert before == {p: f.stat().st_mtime_ns for p, f in twf.published("gfs", GFS).items()}


def test_hours_that_are_not_there_yet_are_named_not_waited_for(rehearsal):
    done = rehearsal("run", "--model", "gfs", "--cycle", GFS, "--hours", "3", "--products", "t2m")

    assert done.code == 3
    assert "pnw/t2m/f003" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--model", "gsf"), 2, "there is no model 'gsf'; did you mean 'gfs'?"),
        (("--model", "nam"), 2, "there is no model 'nam'; there are: gfs, aigfs, hrrr"),
        (("--model", "gfs", "--cycle", "yesterday"), 2, "neither YYYYMMDDHH nor 'latest'"),
        (("--model", "gfs", "--cycle", "2026012913"), 2, "gfs has no run at 13 UTC"),
        (("--model", "gfs", "--cycle", "2026013212"), 2, "neither YYYYMMDDHH nor 'latest'"),
        (("--model", "gfs", "--hours", "12-6"), 2, "do not rise"),
        (("--model", "gfs", "--products", "t3m"), 2, "there is no product 't3m'"),
        (("--model", "gfs", "--regions", "mars"), 2, "there is no region 'mars'"),
        ((), 2, "--model"),
    ],
)
def test_bad_input_gets_one_sentence(twf, arguments, code, told):
    done = twf("run", *arguments, TWF_UPSTREAM__NOMADS_URL="http://127.0.0.1:9")

    assert done.code == code
    assert told in done.err
    assert "Traceback" not in done.err


def test_a_nomads_that_does_not_answer_is_said_in_one_sentence(twf):
    done = twf(
        *("run", "--model", "gfs"),
        TWF_UPSTREAM__NOMADS_URL="http://127.0.0.1:9",
        TWF_FETCH__ATTEMPTS="1",
    )

    assert done.code == 1
    assert "http://127.0.0.1:9 does not answer" in done.err.splitlines()[-1]
    assert "Traceback" not in done.err


def test_a_run_whose_patience_is_over_repeats_no_request(twf):
    done = twf(
        *("run", "--model", "gfs", "--cycle", "2026012912", "--hours", "0,6", "--json"),
        *("--products", "t2m", "--patience", "1"),
        TWF_UPSTREAM__NOMADS_URL="http://127.0.0.1:9",
    )

    assert done.code == 3, done.err
    assert {frame["reason"] for frame in json.loads(done.out)["missing"]} == {"source unreachable"}
    events = [line["event"] for line in done.log]
    assert events.count("pipeline.source_given_up") == 1
    assert "fetch.retried" not in events
