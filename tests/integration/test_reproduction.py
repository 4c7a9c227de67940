"""A published frame can be made again, bit for bit, from the GRIB that it was made from.

The service drew it among other products and regions, from a decode cut to all of them, perhaps
going on with a total of an earlier hour; by hand it is drawn alone, from the files of its run.
"""

import json
import subprocess
import sys
from itertools import product as pairs

import pytest

from render_farm.encode.png import read_texts

GFS, HRRR = "2026012912", "2026012917"
REGIONS = ("pnw", "puget_sound", "west")
SMALL = {  # what is compared is bits
    f"TWF_REGIONS__{key.upper()}__{side}_PX": str(pixels)
    for key in REGIONS
    for side, pixels in (("WIDTH", 640), ("HEIGHT", 480))
}


@pytest.fixture
def twf(twf):
    twf.environ |= SMALL
    return twf


def drawn_by_hand(twf, model, cycle, products, regions, out):
    """Draw from every file of the run's cache; returns (region, product, hour) -> bytes."""
    files = sorted((twf.root / "cache" / "grib" / model / cycle).glob("*.grib2"))
    assert files
    done = twf(
        *("render", *files, "--model", model, "--product", ",".join(products)),
        *("--region", ",".join(regions), "--out", out, "--json"),
        TWF_CACHE_DIR=str(out / "cache"),  # nothing of the service's may be needed
    )
    assert done.code in {0, 3}, done.err
    pictures = {}
    for path in map(out.joinpath, json.loads(done.out)["written"]):
        found = [(r, p) for r, p in pairs(regions, products) if f"_{r}_{p}_f" in path.name]
        pictures[*found[0], path.stem[-4:]] = path.read_bytes()
    return pictures


def published(twf, model, cycle):
    maps = twf.root / "publish" / "maps" / model / cycle
    return {(*path.parts[-3:-1], path.stem): path.read_bytes() for path in maps.glob("*/*/*.png")}


@pytest.mark.parametrize(
    ("model", "cycle", "hour", "products"),
    [("gfs", GFS, "6", ("t2m", "t850")), ("hrrr", HRRR, "6", ("refc", "precip_total"))],
)
def test_real_frames_of_several_regions(rehearsal, tmp_path, model, cycle, hour, products):
    every = json.dumps(REGIONS)
    run = rehearsal(
        *("run", "--model", model, "--cycle", cycle, "--hours", hour),
        *("--products", ",".join(products)),
        **{f"TWF_MODELS__{model.upper()}__REGIONS": every},
    )
    assert run.code == 0, run.err
    online = published(rehearsal, model, cycle)
    assert len(online) == len(REGIONS) * len(products)

    alone = drawn_by_hand(rehearsal, model, cycle, products[:1], REGIONS[:1], tmp_path / "alone")
    ((name, data),) = alone.items()
    assert data == online[name]
    others = drawn_by_hand(rehearsal, model, cycle, products, REGIONS[1:], tmp_path / "others")
    assert len(others) == len(online) - len(products)
    assert all(data == online[name] for name, data in others.items())


def test_totals_over_many_hours(demo_run, tmp_path):
    """The service goes on with what an earlier hour added up; by hand all is added up anew."""
    online = published(demo_run, "gfs", GFS)
    products = sorted({product for _, product, _ in online})
    assert {"f006", "f012", "f018"} <= {hour for *_, hour in online}

    again = drawn_by_hand(demo_run, "gfs", GFS, products, ["pnw"], tmp_path / "again")

    assert set(online) <= set(again)
    differing = [name for name, data in online.items() if again[name] != data]
    assert not differing, {
        key: (text, read_texts(again[differing[0]])[key])
        for key, text in read_texts(online[differing[0]]).items()
        if read_texts(again[differing[0]]).get(key) != text
    }


@pytest.fixture
def demo_run(twf):
    """A run of the synthetic atmosphere, published with notice, totals and types."""
    command = (
        sys.executable,
        "-m",
        "twf_async",
        "replica",
        "--demo",
        "--start",
        "2026-01-30T00:00",
    )
    with subprocess.Popen(
        [*command, "--cache-dir", twf.root / "replica"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            twf.environ["TWF_UPSTREAM__NOMADS_URL"] = process.stdout.readline().strip()
            twf.environ["TWF_UPSTREAM__REQUESTS_PER_MIN"] = "6000"
            twf.environ["TWF_NOTICE"] = "synthetic demo data"
            done = twf(
                *("run", "--model", "gfs", "--cycle", GFS, "--hours", "6,12,18"),
                *("--products", "mslp_ptype,snow_total,snow_kuchera,precip_6h", "--regions", "pnw"),
            )
            assert done.code == 0, done.err
            yield twf
        finally:
            process.terminate()
