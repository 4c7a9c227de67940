"""What the shipped products take, hour by hour, against the inventories of real runs."""

import pytest

from render_farm.domain.places import Box
from twf_async.plan.idx import parse_idx
from twf_async.plan.orders import (
    NotApplicable,
    ProductOrder,
    product_order,
    products_of,
    wanted_by_hour,
)
from twf_async.plan.selection import FILTER_REQUESTS, select
from twf_async.settings.load import load

SURFACE = {"t2m", "td2m", "wind10m", "gust", "mslp_ptype", "refc", "cape", "cloud", "pwat"}
TOTALS = {"precip_total", "precip_6h", "precip_24h", "snow_total", "snow_kuchera"}
ALOFT = {"t850", "z500_vort", "rh700", "t700_adv", "wind250", "freezing_level"}
ALL = SURFACE | TOTALS | ALOFT | {"snow_depth"}
NOT_BY_AIGFS = {"td2m", "gust", "refc", "snow_total", "snow_kuchera", "snow_depth", "pwat"}
NOT_BY_AIGFS |= {"cape", "cloud", "freezing_level"}
FIRST_HOUR = dict.fromkeys(TOTALS, 1) | {"precip_6h": 6, "precip_24h": 24}


@pytest.fixture(scope="module")
def catalog(config_dir):
    return load(config_dir, {}).catalog


@pytest.mark.parametrize(
    ("key", "made"), [("gfs", ALL), ("hrrr", ALL), ("aigfs", ALL - NOT_BY_AIGFS)]
)
def test_every_model_makes_the_products_that_its_files_allow(catalog, key, made):
    assert len(ALL) == 21
    assert set(catalog.models[key].products) == made
    assert set(catalog.products) == ALL


@pytest.mark.parametrize("key", ["gfs", "aigfs", "hrrr"])
def test_every_product_is_drawn_at_every_hour_from_its_first_on(catalog, key):
    model = catalog.models[key]
    hours = model.long_hours or model.hours
    for product in products_of(catalog, model):
        first = FIRST_HOUR.get(product.key, 0)
        if key == "aigfs" and product.key == "mslp_ptype":
            first = 1  # its rate is a mean over a bucket
        drawn = {h for h in hours if isinstance(product_order(product, model, h), ProductOrder)}
        assert drawn == {hour for hour in hours if hour >= first}, product.key


@pytest.mark.parametrize("key", ["gfs", "hrrr"])
def test_a_map_of_six_hours_does_not_exist_at_hour_three(catalog, key):
    """Three hours of rain under the title of six would be a lie."""
    model = catalog.models[key]
    product = next(p for p in products_of(catalog, model) if p.key == "precip_6h")
    order = product_order(product, model, 3)
    assert isinstance(order, NotApplicable)
    assert order.reason == "needs an hour 6 h before hour 3"


def test_a_window_takes_the_totals_at_both_its_ends(catalog):
    """126 - 6 and 126 - 24 are hours of the GFS on both sides of the change of step at 120."""
    gfs = catalog.models["gfs"]
    products = {product.key: product for product in products_of(catalog, gfs)}
    for key, earlier in (("precip_6h", 120), ("precip_24h", 102)):
        order = product_order(products[key], gfs, 126)
        assert order.files == {126, earlier}
        ((hour, message),) = order.inputs["earlier"]
        assert (hour, message.start_h, message.end_h) == (earlier, 0, earlier)
    at_six = product_order(products["precip_6h"], gfs, 6)
    assert at_six.inputs["earlier"] == ()
    assert at_six.files == {6}


def test_kuchera_takes_the_temperatures_of_every_increment_from_its_own_file(catalog):
    gfs, hrrr = catalog.models["gfs"], catalog.models["hrrr"]
    by_model = {
        model.key: next(p for p in products_of(catalog, model) if p.key == "snow_kuchera")
        for model in (gfs, hrrr)
    }
    order = product_order(by_model["gfs"], gfs, 384)
    assert order.files == set(range(6, 385, 6))
    assert {len(needs) for needs in order.inputs.values()} == {64}
    assert len(order.needs) == 64 * 8
    order = product_order(by_model["hrrr"], hrrr, 48)
    assert order.files == set(range(1, 49))
    assert len(order.needs) == 48 * 6
    assert "t600" not in order.inputs
    assert "600" not in by_model["hrrr"].note
    assert "600" in by_model["gfs"].note


IDX = {
    "gfs.t12z.pgrb2.0p25.f000.idx": ("gfs", 0),
    "gfs.t12z.pgrb2.0p25.f006.idx": ("gfs", 6),
    "gfs.t12z.pgrb2.0p25.f024.idx": ("gfs", 24),
    "hrrr.t17z.wrfsfcf00.grib2.idx": ("hrrr", 0),
    "hrrr.t17z.wrfsfcf01.grib2.idx": ("hrrr", 1),
    "hrrr.t17z.wrfsfcf03.grib2.idx": ("hrrr", 3),
    "hrrr.t17z.wrfsfcf06.grib2.idx": ("hrrr", 6),
}


@pytest.mark.parametrize("name", sorted(IDX))
def test_real_inventories_have_every_message_that_the_products_take_from_them(
    catalog, test_data, name
):
    key, hour = IDX[name]
    model = catalog.models[key]
    have = {line.key for line in parse_idx((test_data / "idx" / name).read_text())}
    drawn = 0
    for product in products_of(catalog, model):
        order = product_order(product, model, hour)
        if isinstance(order, ProductOrder):
            drawn += 1
            wanted = {message for file_hour, message in order.needs if file_hour == hour}
            assert wanted
            assert {str(message) for message in wanted - have} == set(), product.key
    assert drawn == len([k for k in model.products if hour >= FIRST_HOUR.get(k, 0)])


@pytest.mark.parametrize("name", sorted(IDX))
def test_an_hour_with_all_products_is_asked_for_in_three_requests_at_most(catalog, test_data, name):
    """The Pacific Northwest: a quarter of a megabyte of GFS, eleven of HRRR."""
    key, hour = IDX[name]
    model = catalog.models[key]
    products = products_of(catalog, model)
    wanted = wanted_by_hour(model, products, model.long_hours or model.hours)[hour]
    selection = select(
        parse_idx((test_data / "idx" / name).read_text()),
        wanted,
        box=Box(west=-127.7, east=-107.3, south=40.7, north=50.3),
        grid=model.grid,
    )
    assert selection.missing == frozenset()
    assert selection.method == "FILTERED"
    assert len(selection.filters) <= FILTER_REQUESTS
    assert selection.estimated_bytes < (0.5e6 if key == "gfs" else 15e6)
