"""What every product shows is what an independent computation says of the same GRIB messages.

The shipped definitions run through decoding and recipe and are compared grid by grid with
`truth.py` (MetPy, pyproj, or the rule as its paper has it, in float64); then through the whole
drawing, where the bin painted at 1,000 random pixels must be that of the true value there for
99.5 % of them, and the others next to it.

Fields: the real 2.5 degree GFS of 2011 (every level and surface field but those below), the real
0.25 degree GFS and the real HRRR of 2026. Where no real file holds what a product takes:

| product, model                    | taken instead                                          |
|-----------------------------------|--------------------------------------------------------|
| cloud, gfs                        | real: TCDC as the mean of 66-72 h; also demo           |
| mslp_ptype, gfs                   | real: PRATE and types as means of 66-72 h; also demo   |
| mslp_ptype, hrrr                  | real rate and types, echo for heights; also demo       |
| snow_total, snow_kuchera, gfs     | real: the one bucket 66-72 h; several from the demo    |
| precip_24h, hrrr                  | real: total 0-6 h less the bucket 5-6 h; also demo     |
| precip_total, 6h, 24h, gfs, aigfs | demo                                                   |
| td2m, snow_depth, refc, gfs       | demo (refc of hrrr is real)                            |
| rh700, aigfs                      | demo (its SPFH)                                        |
| all that is not named, hrrr       | demo                                                   |

The demo is the synthetic atmosphere that the loopback NOMADS serves.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from PIL import Image

from render_farm.derive.recipes import RECIPES
from render_farm.derive.smoothing import smoothed
from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.jobs import HourRendered, MessageSource, ProductTask
from render_farm.domain.places import Region
from render_farm.draw.colours import bin_colours
from render_farm.draw.palette import GROUNDS
from render_farm.draw.viewport import Viewport
from render_farm.render.hour import render_hour
from render_farm.render.inputs import JobFields, Unusable
from tests.products.demo import write_demo
from tests.products.jobs import job_of
from tests.products.raw import forget
from tests.products.truth import TYPES, Truth
from twf_async.plan.orders import ProductOrder, product_order, products_of
from twf_async.replica.tree import CropBox
from twf_async.settings.load import load

OLD, GFS, HRRR, DEMO = "2011100800", "2026012912", "2026012917", "2026012912"
BOX = CropBox.of(left=-129, right=-106, bottom=39, top=52)
SMALL_BOX = CropBox.of(left=-125.5, right=-117.5, bottom=42, top=47.5)
NORTH_AMERICA = Region(
    key="north_america", title="North America", west=-150, east=-60, south=25, north=65,
    projection="lambert_conformal", central_longitude=-100, central_latitude=45,
    standard_parallels=(35, 55), width_px=800, height_px=600,
)  # fmt: skip
CASCADES = Region(
    key="cascades", title="Cascades", west=-124, east=-119, south=43, north=46.5,
    projection="lambert_conformal", central_longitude=-121.5, central_latitude=45,
    standard_parallels=(44, 46), width_px=800, height_px=600,
)  # fmt: skip
PIXELS = 1000


@dataclass(frozen=True)
class Case:
    """One product of one model. instead: role -> the message that stands in for it."""

    model: str
    product: str
    source: str
    hour: int
    instead: dict[str, MessageKey] = field(default_factory=dict)

    def __str__(self):
        return f"{self.model}-{self.product}-{self.source}{'-instead' if self.instead else ''}"


def _over(parameter, level, start, end, statistic):
    return MessageKey(parameter, level, start, end, Statistic(statistic))


COLUMN = "entire atmosphere (considered as a single layer)"
MEANS = {
    role: _over(name, "surface", 66, 72, "ave")
    for role, name in {
        "rate": "PRATE", "rain": "CRAIN", "snow": "CSNOW", "sleet": "CICEP",
        "freezing_rain": "CFRZR",
    }.items()
}  # fmt: skip
BUCKET = {"amount": _over("APCP", "surface", 66, 72, "acc"), "snow": MEANS["snow"]}
AT_72 = {"t2m": "2 m above ground"} | {f"t{n}": f"{n} mb" for n in (925, 850, 700, 600, 500)}
WARMTH = {role: _over("TMP", level, 72, 72, "instant") for role, level in AT_72.items()}
FIVE_HOURS = {
    role: _over("APCP", "surface", start, 6, "acc")
    for role, start in (("value", 0), ("earlier", 5))
}
NO_HEIGHTS = dict.fromkeys(
    ("mslp", "z500", "z1000"), _over("REFC", "entire atmosphere", 6, 6, "instant")
)

DIRECT = ("t2m", "wind10m", "gust", "cape", "t850", "rh700", "t700_adv", "z500_vort", "wind250")
CASES = [
    *(Case("gfs", key, "2.5", 72) for key in (*DIRECT, "pwat", "freezing_level")),
    Case("gfs", "cloud", "2.5", 72, {"value": _over("TCDC", COLUMN, 66, 72, "ave")}),
    Case("gfs", "mslp_ptype", "2.5", 72, MEANS),
    Case("gfs", "snow_total", "2.5", 72, BUCKET),
    Case("gfs", "snow_kuchera", "2.5", 72, BUCKET | WARMTH),
    *(Case("aigfs", key, "2.5", 72) for key in ("mslp_ptype", "z500_vort", "t700_adv", "t850")),
    *(Case("gfs", key, "real", 6) for key in ("t2m", "t850")),
    Case("hrrr", "t2m", "real", 1),
    *(Case("hrrr", key, "real", 6) for key in ("precip_total", "precip_6h", "refc")),
    Case("hrrr", "precip_24h", "real", 6, FIVE_HOURS),
    Case("hrrr", "mslp_ptype", "real", 6, NO_HEIGHTS),
    *(
        Case("gfs", key, "demo", 30)
        for key in ("td2m", "snow_depth", "refc", "precip_total", "precip_6h", "precip_24h")
    ),
    *(
        Case("gfs", key, "demo", 27)
        for key in ("cloud", "mslp_ptype", "snow_total", "snow_kuchera")
    ),
    *(
        Case("aigfs", key, "demo", 30)
        for key in ("rh700", "wind10m", "precip_total", "precip_6h", "precip_24h", "wind250", "t2m")
    ),
    *(
        Case("hrrr", key, "demo", 30)
        for key in (
            "td2m", "wind10m", "gust", "cloud", "cape", "mslp_ptype", "precip_24h", "t850", "rh700",
            "t700_adv", "z500_vort", "wind250", "pwat", "freezing_level",
        )
    ),
    *(Case("hrrr", key, "demo", 4) for key in ("snow_total", "snow_kuchera", "snow_depth")),
]  # fmt: skip


@pytest.fixture(scope="module")
def catalog(config_dir):
    return load(config_dir, {}).catalog


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    yield tmp_path_factory.mktemp("products")
    forget()


@pytest.fixture(scope="module")
def files(test_data):
    old = test_data / "gfs-2p5/gfs.20111008.t00z.pgrbf072.2p5deg.grib2"
    com = test_data / "nomads/pub/data/nccf/com"
    gfs = com / "gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f{:03d}"
    hrrr = com / "hrrr/prod/hrrr.20260129/conus/hrrr.t17z.wrfsfcf{:02d}.grib2"
    return {
        ("gfs", "2.5"): (OLD, old),
        ("aigfs", "2.5"): (OLD, old),
        ("gfs", "real"): (GFS, gfs),
        ("hrrr", "real"): (HRRR, hrrr),
    }


@pytest.fixture(scope="module")
def job(catalog, files, place):
    """case -> a job with its one product, drawn bare: nothing lies on the fill but borders."""
    pnw = catalog.regions["pnw"].model_copy(update={"width_px": 800, "height_px": 600})

    def make(case):
        model = catalog.models[case.model]
        (product,) = products_of(catalog, model, [case.product])
        order = product_order(product, model, case.hour)
        needs = dict(order.inputs) if isinstance(order, ProductOrder) else {}
        needs |= {role: ((case.hour, key),) for role, key in case.instead.items()}
        if case.source == "demo":
            cycle = DEMO
            wanted = {at: {key for hour, key in order.needs if hour == at} for at in order.files}
            folder = place / f"{case}"
            folder.mkdir(exist_ok=True)
            box = SMALL_BOX if case.model == "hrrr" else BOX
            lies = write_demo(model, DEMO, wanted, box, folder)
        else:
            cycle, path = files[case.model, case.source]
            path = str(path).format(case.hour)
            lies = {case.hour: {key: path for of in needs.values() for _, key in of}}
        inputs = {
            role: tuple(MessageSource(lies[at][key], key) for at, key in of)
            for role, of in needs.items()
        }
        region = NORTH_AMERICA if case.source == "2.5" else pnw
        if (case.model, case.source) == ("hrrr", "demo"):
            region = CASCADES
        bare = {"stations": None, "wind": None, "lines": (), "hatching": ()}
        scales = {role: catalog.scales[key] for role, key in product.scales.items()}
        task = ProductTask(product, scales, inputs, (region.key,))
        drawn = replace(task, product=product.model_copy(update=bare))
        whole = job_of(
            catalog, model, cycle, case.hour, products=[], lies={}, region=region,
            directory=place, counties=False,
        )  # fmt: skip
        return task, replace(whole, tasks=(drawn,))

    return make


def test_no_product_of_any_model_is_left_out(catalog):
    shipped = {(model.key, key) for model in catalog.models.values() for key in model.products}
    assert {(case.model, case.product) for case in CASES} == shipped


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request, job):
    """Task, job and what must be shown, of one product after the other."""
    task, made = job(request.param)
    return task, made, Truth(task)


def test_derived_grids_are_those_of_an_independent_computation(case):
    task, made, truth = case

    inputs = JobFields((task,), made.cycle).inputs(task)
    assert not isinstance(inputs, Unusable), inputs
    derived = RECIPES[task.product.recipe](smoothed(inputs, task.product.smooth_km))

    assert "fill" in truth.grids
    drawn_of = {layer.field for layer in (*task.product.lines, *task.product.hatching)}
    assert drawn_of <= set(truth.grids)
    for name, expected in truth.grids.items():
        allowed = truth.tolerances[name]
        np.testing.assert_allclose(
            derived.arrays[name][allowed.where], expected[allowed.where],
            rtol=allowed.rtol, atol=allowed.atol, err_msg=name,
        )  # fmt: skip
        assert derived.arrays[name].dtype == np.float32
    if truth.category is None:
        assert derived.category is None
    else:
        np.testing.assert_array_equal(derived.category, truth.category)


def test_the_bin_painted_at_a_pixel_is_that_of_the_true_value_there(case):
    task, made, truth = case
    result = render_hour(made)
    assert isinstance(result, HourRendered)
    assert result.failures == ()
    picture = np.asarray(Image.open(result.frames[0].path).convert("RGB"))
    viewport = Viewport.of(made.regions[0])
    grounds = GROUNDS[made.style.base]
    bare = {grounds.land, grounds.water}

    random = np.random.default_rng(20260129)
    row = random.integers(0, viewport.rect.height, 6 * PIXELS)
    column = random.integers(0, viewport.rect.width, 6 * PIXELS)
    where = viewport.lonlat_of_pixels(column, row)
    values = truth.grid.at(*where, task.product.sampling, truth.grids["fill"])
    kinds = _kinds(truth, *where)
    ladders = _ladders(task, made)

    right = near = wrong = 0
    for value, kind, painted in zip(
        values,
        kinds,
        picture[row + viewport.rect.top, column + viewport.rect.left].tolist(),
        strict=True,
    ):
        if right + near + wrong == PIXELS:
            break
        if kind < 0:  # between two types: which one is painted there is nearest's business
            continue
        levels, colours = ladders[kind]
        known = {colour for _, row_of in ladders.values() for colour in row_of}
        colour = tuple(painted) if tuple(painted) not in bare else None
        if colour is not None and colour not in known:
            continue  # a border or a coast runs through it
        k = int(np.searchsorted(levels, value, side="right"))
        right += colours[k] == colour
        near += colours[k] != colour and colour in colours[max(k - 1, 0) : k + 2]
        wrong += colours[k] != colour and colour not in colours[max(k - 1, 0) : k + 2]
    assert right + near + wrong == PIXELS
    assert wrong == 0
    assert right >= 0.995 * PIXELS


def _ladders(task, made):
    """kind -> levels in SI and the colours of the bins; kind 0 is the fill's own scale."""
    ladders = {}
    for kind, role in enumerate(("fill", *TYPES)):
        if role in task.scales:
            display = task.scales[role].display(made.style)
            levels = (np.array(display.levels) - display.offset) / display.factor
            ladders[kind] = levels, bin_colours(display)
    return ladders


def _kinds(truth, longitude, latitude):
    """Type at places by the four points around; -1 where they differ. 0: the fill's own scale."""
    if truth.category is None:
        return np.zeros(longitude.shape, int)
    column, row = truth.grid.index(longitude, latitude)
    c, r = np.floor(column).astype(int), np.floor(row).astype(int)
    around = [truth.category[r + dr, c + dc] for dr in (0, 1) for dc in (0, 1)]
    same = np.all([a == around[0] for a in around], axis=0)
    return np.where(same, around[0], -1)
