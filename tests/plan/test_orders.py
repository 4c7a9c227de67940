from hypothesis import given
from hypothesis import strategies as st

from render_farm.domain.models import Model
from render_farm.domain.products import Product
from twf_async.plan.orders import (
    NotApplicable,
    ProductOrder,
    hour_orders,
    product_order,
    products_of,
    wanted_by_hour,
)
from twf_async.settings.load import load

FIELDS = st.sampled_from(
    [
        "TMP:2 m above ground",
        "PRMSL:mean sea level",
        "APCP:surface:0-H acc",
        "APCP:surface:0-(H-6) acc",
        "APCP:surface:bucket acc",
        "APCP:surface:buckets acc",
        "CSNOW:surface:buckets ave",
    ]
)
SPANS = st.sampled_from([("0-384/6", 6), ("0-120/3,126-384/6", 6), ("0-48", 1), ("0-120/12", 6)])


def product(key, **fields):
    return Product.model_validate(
        {
            "key": key,
            "title": key,
            "recipe": "identity",
            "fields": fields,
            "scales": {"fill": "x"},
            "optional": [role for role in fields if role.startswith("maybe")],
        }
    )


def model(hours="0-12/3", bucket_h=6, **more):
    return Model.model_validate(
        {
            "key": "gfs",
            "title": "GFS",
            "long_title": "GFS",
            "cycles": [0],
            "hours": hours,
            "bucket_h": bucket_h,
            "first_hour_min": 1,
            "gives_up_min": 1,
            "files": [{"path": "x"}],
            "products": [],
            "regions": [],
        }
        | more
    )


@st.composite
def runs(draw):
    hours, bucket_h = draw(SPANS)
    gfs = model(hours, bucket_h)
    fields = draw(
        st.lists(
            st.dictionaries(st.sampled_from(["a", "b", "maybe"]), FIELDS, min_size=1),
            min_size=1,
            max_size=4,
        )
    )
    asked = draw(st.lists(st.sampled_from(gfs.hours), min_size=1, max_size=6, unique=True))
    return gfs, [product(f"p{i}", **f) for i, f in enumerate(fields)], sorted(asked)


@given(runs())
def test_every_message_that_a_product_takes_is_wanted_from_its_file(run):
    gfs, products, asked = run
    wanted = wanted_by_hour(gfs, products, asked)
    for order in hour_orders(gfs, products, asked):
        for drawn in order.drawn:
            assert all(key in wanted[hour] for hour, key in drawn.needs)
            assert drawn.files == {hour for hour, _ in drawn.needs}


@given(runs())
def test_only_hours_of_the_model_and_none_after_the_last_asked_are_wanted(run):
    gfs, products, asked = run
    wanted = wanted_by_hour(gfs, products, asked)
    assert set(wanted) <= set(gfs.hours)
    assert all(hour <= asked[-1] for hour in wanted)
    assert list(wanted) == sorted(wanted)
    for order in hour_orders(gfs, products, asked):
        assert all(hour <= order.hour for drawn in order.drawn for hour in drawn.files)


@given(runs())
def test_planned_together_a_product_takes_at_an_hour_what_it_takes_alone(run):
    gfs, products, asked = run
    for order in hour_orders(gfs, products, asked):
        assert order.products == tuple(product_order(p, gfs, order.hour) for p in products)


def test_products_share_what_they_take_and_later_hours_the_buckets_of_earlier_ones():
    """A run of GFS has 50,000 needs: kept once, they take a third of the memory."""
    fields = {"value": "APCP:surface:buckets acc"}
    products = [product("p", **fields), product("q", **fields)]
    six, twelve = hour_orders(model(), products, [6, 12])
    one, other = (order.inputs["value"] for order in twelve.drawn)
    assert one is other
    assert one[0] is six.drawn[0].inputs["value"][0]


@given(runs())
def test_nothing_is_wanted_that_no_product_takes(run):
    gfs, products, asked = run
    taken = {
        need
        for order in hour_orders(gfs, products, asked)
        for drawn in order.drawn
        for need in drawn.needs
    }
    wanted = wanted_by_hour(gfs, products, asked)
    assert {(hour, key) for hour, keys in wanted.items() for key in keys} == taken


def test_a_total_cannot_exist_at_hour_0():
    order = product_order(product("p", value="APCP:surface:0-H acc"), model(), 0)
    assert isinstance(order, NotApplicable)
    assert order.reason == "no accumulation at hour 0"


def test_an_optional_field_that_cannot_exist_is_left_out():
    whole = product("p", value="TMP:2 m above ground", maybe="APCP:surface:bucket acc")
    order = product_order(whole, model(), 0)
    assert isinstance(order, ProductOrder)
    assert set(order.inputs) == {"value"}


def test_the_window_before_the_run_counts_as_zero_and_needs_no_file():
    change = product("p", now="APCP:surface:0-H acc", before="APCP:surface:0-(H-6) acc")
    order = product_order(change, model(), 6)
    assert order.inputs["before"] == ()
    assert order.files == {6}
    assert product_order(change, model(), 3).reason == "needs an hour 6 h before hour 3"


def test_a_file_of_an_hour_that_the_model_does_not_have_is_never_wanted():
    order = product_order(product("p", value="APCP:surface:buckets acc"), model("0-24/12"), 12)
    assert order == NotApplicable(order.product, "the model has no hour 6")


def test_a_later_hour_alone_wants_the_buckets_of_the_earlier_ones():
    wanted = wanted_by_hour(model(), [product("p", value="APCP:surface:buckets acc")], [9])
    assert {hour: {str(key) for key in keys} for hour, keys in wanted.items()} == {
        6: {"APCP:surface:0-6 hour acc fcst"},
        9: {"APCP:surface:6-9 hour acc fcst"},
    }


def test_the_models_own_names_and_recipes_are_used(config_dir):
    catalog = load(config_dir, {}).catalog
    hrrr = catalog.models["hrrr"]
    products = {p.key: p for p in products_of(catalog, hrrr, ["t850", "snow_total", "t2m"])}
    assert list(products) == [key for key in hrrr.products if key in products]
    keys = {str(key) for _, key in product_order(products["t850"], hrrr, 6).needs}
    assert "MSLMA:mean sea level:6 hour fcst" in keys
    assert not any(key.startswith("PRMSL") for key in keys)
    assert product_order(products["snow_total"], hrrr, 24).needs == {
        (24, key) for _, key in product_order(products["snow_total"], hrrr, 24).needs
    }
