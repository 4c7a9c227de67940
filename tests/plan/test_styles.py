"""Which changes of the configuration make another picture, and which do not."""

import pytest

from twf_async.plan.orders import products_of
from twf_async.plan.styles import styles_of
from twf_async.settings.load import load

T2M, RAIN = ("west", "t2m"), ("west", "precip_total")


@pytest.fixture(scope="module")
def catalog(config_dir):
    return load(config_dir, {}).catalog


def styles(catalog, *, model="gfs", notice=""):
    gfs = catalog.models[model]
    regions = [catalog.regions["west"], catalog.regions["puget_sound"]]
    return styles_of(
        catalog, gfs, products_of(catalog, gfs, ("t2m", "precip_total")), regions, notice=notice
    )


def changed(catalog, file, key, **changes):
    entries = getattr(catalog, file)
    entry = entries[key].model_copy(update=changes)
    return catalog.model_copy(update={file: entries | {key: entry}})


def differing(catalog, other, **options):
    before, after = styles(catalog), styles(other, **options)
    return {name for name in before if before[name] != after[name]}


def test_a_configuration_read_twice_gives_the_same_digests(catalog, config_dir):
    assert styles(catalog) == styles(load(config_dir, {}).catalog)
    assert len(set(styles(catalog).values())) == 4


def test_a_changed_scale_concerns_the_products_that_use_it(catalog):
    key = catalog.products["t2m"].scales["fill"]
    shown = catalog.scales[key].imperial.model_copy(update={"over": "#123456"})
    other = changed(catalog, "scales", key, imperial=shown)

    assert differing(catalog, other) == {T2M, ("puget_sound", "t2m")}


def test_units_that_are_not_shown_shape_nothing(catalog):
    key = catalog.products["t2m"].scales["fill"]
    hidden = catalog.scales[key].metric.model_copy(update={"over": "#123456"})

    assert differing(catalog, changed(catalog, "scales", key, metric=hidden)) == set()


def test_a_changed_size_concerns_its_region_alone(catalog):
    other = changed(catalog, "regions", "west", width_px=640)

    assert differing(catalog, other) == {T2M, RAIN}


def test_the_place_in_a_menu_shapes_nothing(catalog):
    other = changed(catalog, "products", "t2m", group="elsewhere", order=999)

    assert differing(catalog, other) == set()


def test_a_model_that_takes_no_part_shapes_nothing(catalog):
    other = changed(catalog, "models", "hrrr", title="Another")

    assert differing(catalog, other) == set()


def test_stations_concern_products_that_write_values_at_them(catalog):
    other = catalog.model_copy(update={"stations": catalog.stations[:-1]})
    writing = {
        (region, key)
        for region in ("west", "puget_sound")
        for key in ("t2m", "precip_total")
        if catalog.products[key].stations is not None
    }

    assert writing
    assert differing(catalog, other) == writing


def test_notice_and_brand_concern_every_frame(catalog):
    branded = catalog.style.model_copy(update={"brand": "another"})

    assert differing(catalog, catalog, notice="a rehearsal") == set(styles(catalog))
    assert differing(catalog, catalog.model_copy(update={"style": branded})) == set(styles(catalog))
