"""What an operator adds in TOML alone is fetched, drawn and served after a SIGHUP."""

import json
import re
import shutil
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.decode.gribmint import LAMBERT, mint
from tests.integration.conftest import serving

COM = "pub/data/nccf/com"
CYCLE = "2026012912"
HOUR = "f006"

GLOBE = {
    "gridType": "regular_ll",
    "latitudeOfFirstGridPointInDegrees": 90.0,
    "latitudeOfLastGridPointInDegrees": -90.0,
    "longitudeOfFirstGridPointInDegrees": 0.0,
}
QUARTER = {**GLOBE, "Nx": 1440, "Ny": 721, "longitudeOfLastGridPointInDegrees": 359.75}
HALF = {**GLOBE, "Nx": 720, "Ny": 361, "longitudeOfLastGridPointInDegrees": 359.5}
TASMAN = {  # a cone over Australia and New Zealand, 25 km
    **LAMBERT,
    "Nx": 260,
    "Ny": 190,
    "DxInMetres": 25_000,
    "DyInMetres": 25_000,
    "Latin1InDegrees": -30.0,
    "Latin2InDegrees": -45.0,
    "LaDInDegrees": -37.0,
    "LoVInDegrees": 150.0,
    "latitudeOfFirstGridPointInDegrees": -52.0,
    "longitudeOfFirstGridPointInDegrees": 115.0,
    "projectionCentreFlag": 128,
}
AT_2M = {"typeOfFirstFixedSurface": 103, "scaledValueOfFirstFixedSurface": 2}
SURFACE = {"typeOfFirstFixedSurface": 1, "scaleFactorOfFirstFixedSurface": 255}
VIS = {"parameterCategory": 19, "parameterNumber": 0, **SURFACE}
RH = {"parameterCategory": 1, "parameterNumber": 1, **AT_2M}
NAMELESS = {"parameterCategory": 16, "parameterNumber": 201, **SURFACE}  # wgrib2 knows no name
NAMELESS_TEXT = "var discipline=0 center=7 local_table=1 parmcat=16 parm=201"

SCALES = """
[visibility]
title    = "Visibility"
si_unit  = "m"
[visibility.imperial]
unit     = "mi"
factor   = 0.000621371
levels   = [0, 0.25, 0.5, 1, 2, 3, 5, 10]
anchors  = [[0, "#7a0177"], [5, "#fbb4b9"], [10, "#feebe2"]]
ticks    = [0.5, 1, 2, 3, 5]
decimals = 1
[visibility.metric]
unit     = "km"
factor   = 0.001
levels   = [0, 0.4, 0.8, 1.6, 3.2, 5, 8, 16]
anchors  = [[0, "#7a0177"], [8, "#fbb4b9"], [16, "#feebe2"]]
ticks    = [0.8, 1.6, 3.2, 5, 8]
decimals = 1

[moist]
title    = "Relative humidity"
si_unit  = "%"
[moist.imperial]
unit     = "%"
levels   = ["0..100 step 10"]
anchors  = [[0, "#8c510a"], [50, "#f5f5f5"], [100, "#01665e"]]
[moist.metric]
unit     = "%"
levels   = ["0..100 step 10"]
anchors  = [[0, "#8c510a"], [50, "#f5f5f5"], [100, "#01665e"]]
"""
PRODUCTS = f"""
[vis]
title  = "Visibility"
recipe = "identity"
fields = {{ value = "VIS:surface" }}
scales = {{ fill = "visibility" }}

[rh2m]
title    = "2 m relative humidity"
recipe   = "identity"
fields   = {{ value = "RH:2 m above ground" }}
scales   = {{ fill = "moist" }}
stations = {{ decimals = 0 }}
lines    = [{{ field = "fill", unit = "%", step = 20, labels = false }}]

[nameless]
title  = "Something new"
recipe = "identity"
fields = {{ value = "{NAMELESS_TEXT}:surface" }}
scales = {{ fill = "moist" }}
"""
REGIONS = """
[oregon]
title = "Oregon"
west  = -124.7
east  = -116.4
south = 41.9
north = 46.4

[tasman]
title = "Tasman Sea"
west  = 145.0
east  = 175.0
south = -46.0
north = -30.0
"""
MODELS = """
[half]
title = "HALF"
long_title = "Half a degree"
cycles = [12]
hours = "6"
bucket_h = 6
poll_s = 0.5
first_hour_min = 60
gives_up_min = 6000
grid = { points = 259920, step_deg = 0.5 }
products = ["t2m", "rh2m"]
regions = ["oregon", "tasman"]
[[half.files]]
path = "half/v2/{date}{cc}/half-{cc}z_step{hour:d}.grb"

[tas]
title = "TAS"
long_title = "A cone in the south"
cycles = [12]
hours = "6"
bucket_h = 6
poll_s = 0.5
first_hour_min = 60
gives_up_min = 6000
products = ["t2m"]
regions = ["tasman"]
[[tas.files]]
path = "tas/{date}/t{cc}/surface_{hour:03d}.grib2"
"""


def values(grid, low, high):
    count = grid["Nx"] * grid["Ny"]
    row, column = np.divmod(np.arange(count), grid["Nx"])
    waves = np.sin(column / grid["Nx"] * 40) * np.cos(row / grid["Ny"] * 20)
    return low + (high - low) * (waves + 1) / 2


def write(path, messages):
    """A file and its inventory, worded by hand as wgrib2 words it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines, data = [], b""
    for number, (text, message) in enumerate(messages, 1):
        lines.append(f"{number}:{len(data)}:d={CYCLE}:{text}:6 hour fcst:")
        data += message
    path.write_bytes(data)
    path.with_name(f"{path.name}.idx").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def replica_root(tmp_path_factory):
    """A NOMADS with GFS, and with two models that nobody of us knows."""
    root = tmp_path_factory.mktemp("nomads")
    com = root / COM
    t2m = ("TMP:2 m above ground", {})
    write(
        com / f"gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.{HOUR}",
        [
            (t2m[0], mint(QUARTER, values(QUARTER, 255, 300))),
            ("VIS:surface", mint(QUARTER, values(QUARTER, 100, 24_000), **VIS)),
            ("RH:2 m above ground", mint(QUARTER, values(QUARTER, 12, 99), **RH)),
            (f"{NAMELESS_TEXT}:surface", mint(QUARTER, values(QUARTER, 0, 90), **NAMELESS)),
        ],
    )
    write(
        com / "half/v2/2026012912/half-12z_step6.grb",
        [
            (t2m[0], mint(HALF, values(HALF, 255, 300))),
            ("RH:2 m above ground", mint(HALF, values(HALF, 12, 99), **RH)),
        ],
    )
    write(
        com / "tas/20260129/t12/surface_006.grib2",
        [(t2m[0], mint(TASMAN, values(TASMAN, 255, 300)))],
    )
    return root


@pytest.fixture(scope="module")
def replica(replica_root):
    with serving(replica_root) as address:
        yield address


@pytest.fixture
def config(config_dir, tmp_path):
    config = Path(shutil.copytree(config_dir, tmp_path / "config"))
    rewrite(config / "models.toml", r"products = \[[^\]]*\]", 'products = ["t2m"]')
    return config


@pytest.fixture
def service(start):
    return start(TWF_MODELS__GFS__HOURS='"6"')


def rewrite(path, pattern, new):
    text = path.read_text()
    assert re.search(pattern, text)
    path.write_text(re.sub(pattern, new, text))


def append(path, text):
    path.write_text(path.read_text() + text)


def add_everything(config):
    append(config / "scales.toml", SCALES)
    append(config / "products.toml", PRODUCTS)
    append(config / "regions.toml", REGIONS)
    rewrite(config / "models.toml", r'\["t2m"\]', '["t2m", "vis", "rh2m", "nameless"]')
    rewrite(config / "models.toml", r'\["pnw"\]', '["pnw", "oregon"]')
    append(config / "models.toml", MODELS)


def picture(service, path):
    status, body = service.get(path)
    assert status == 200
    return cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)


def test_products_scales_regions_and_models_of_toml_alone_appear_after_a_reload(service, config):
    service.wait_published({("pnw", "t2m", HOUR)})
    before = service.json(f"/api/v1/runs/gfs/{CYCLE}")["frames"]["pnw"]["t2m"][HOUR]
    add_everything(config)

    service.process.send_signal(signal.SIGHUP)

    here = {(r, p, HOUR) for r in ("pnw", "oregon") for p in ("t2m", "vis", "rh2m", "nameless")}
    service.wait_published(here)
    both = {(r, p, HOUR) for r in ("oregon", "tasman") for p in ("t2m", "rh2m")}
    service.wait_published(both, "half")
    service.wait_published({("tasman", "t2m", HOUR)}, "tas")
    assert service.events("app.reloaded")
    assert service.json(f"/api/v1/runs/gfs/{CYCLE}")["frames"]["pnw"]["t2m"][HOUR] == before
    seen = {
        picture(service, f"/maps/{model}/{CYCLE}/{region}/{product}/{HOUR}.png").shape
        for model, frames in (("gfs", here), ("half", both), ("tas", {("tasman", "t2m", HOUR)}))
        for region, product, _ in frames
    }
    assert (1200, 1600, 3) in seen
    assert all(max(shape) == 1600 or shape[0] == 1200 for shape in seen)
    keys = {model["id"] for model in service.json("/api/v1/models")["models"]}
    assert {"gfs", "half", "tas"} <= keys
    assert service.end() == 0


@pytest.mark.parametrize(
    ("path", "product", "region"),
    [
        ("half/v2/2026012912/half-12z_step6.grb", "rh2m", "oregon"),
        ("half/v2/2026012912/half-12z_step6.grb", "t2m", "tasman"),
        ("tas/20260129/t12/surface_006.grib2", "t2m", "tasman"),
    ],
)
def test_render_draws_a_model_of_toml_alone_by_the_name_of_its_file(
    path, product, region, twf, replica_root, config
):
    add_everything(config)

    done = twf(
        *("render", replica_root / COM / path, "--product", product, "--region", region),
        *("--out", twf.root / "maps", "--config", config, "--json"),
    )

    assert done.code == 0, done.err
    (written,) = json.loads(done.out)["written"]
    model = path.partition("/")[0]
    assert Path(written).name == f"{model}_{CYCLE}_{region}_{product}_{HOUR}.png"
    assert cv2.imread(written).std() > 10
