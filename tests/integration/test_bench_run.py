"""`twf-async bench run`: that it measures a whole service; never how fast this machine is."""

import json

import pytest

SMALL = {"TWF_REGIONS__PNW__WIDTH_PX": "400", "TWF_REGIONS__PNW__HEIGHT_PX": "300"}
RUN = ("bench", "run", "--hours", "0-6/3", "--regions", "pnw", "--products", "t2m,precip_6h")


def test_a_run_is_measured_from_grib_that_was_fetched_before(twf, tmp_path):
    keep = tmp_path / "keep"
    done = twf(*RUN, "--workers", "1", "--keep", keep, "--json", **SMALL)

    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["hours"], found["from_cache"], found["missing"]) == (3, 3, 0)
    assert found["frames"] == found["published"] == 4  # no precipitation of six hours before f006
    assert (found["workers"], found["cores"]) == (1, 1)
    held = {held["role"]: held["processes"] for held in found["held"]}
    assert held == {"service": 1, "forkserver": 1, "worker": 1, "resource tracker": 1}
    assert 60 < found["peak_mb"] < 700
    assert sum(one["pss_mb"] for one in found["held"]) == pytest.approx(found["peak_mb"])
    assert found["workers_s"] > 0.05
    assert found["wall_s"] > 0
    assert found["png_bytes"]["sum"] > 4 * 1000
    assert found["told"] == {}
    assert {bar["what"] for bar in found["bars"]} >= {"all processes, PSS at most"}

    kept = [path for path in keep.rglob("*.grib2") if path.is_file()]
    assert len(kept) >= 3
    assert {entry.name.partition("-")[0] for entry in keep.iterdir()} <= {"gfs", "replica"}

    times = {path: path.stat().st_mtime_ns for path in kept}
    again = twf(*RUN, "--workers", "1", "--keep", keep, **SMALL)
    assert again.code == 0, again.err
    assert "the GRIB of 3 hours from the cache" in again.out
    assert "(bar 700)" in again.out
    assert {path: path.stat().st_mtime_ns for path in keep.rglob("*.grib2")} == times


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--regions", "pwn"), "there is no region 'pwn'; did you mean 'pnw'?"),
        (("--model", "gfz"), "there is no model 'gfz'; did you mean 'gfs'?"),
        (("--products", "t2n"), "there is no product 't2n'; did you mean 't2m'?"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(arguments, sentence, twf):
    done = twf("bench", "run", *arguments)

    assert done.code == 2
    assert sentence in done.err
    assert len(done.err.strip().splitlines()) == 1
