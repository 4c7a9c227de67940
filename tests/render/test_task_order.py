"""The order of a job's tasks: few fields wait for others, and no picture depends on it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.domain.fields import MessageKey
from render_farm.domain.jobs import MessageSource, ProductTask
from render_farm.render.hour import render_hour
from render_farm.render.order import shared_sources, thrifty

GFS = "2026012912"


def source(name):
    return MessageSource("file", MessageKey(name, "surface", 0, 0, None))


@pytest.fixture(scope="module")
def task_of(catalog):
    def make(key, names, recipe="identity"):
        product = catalog["products"]["t2m"].model_copy(update={"key": key, "recipe": recipe})
        inputs = {f"role{k}": (source(name),) for k, name in enumerate(names)}
        return ProductTask(product, {}, inputs, ("pnw",))

    return make


def waiting(tasks):
    """Fields that are kept after each task for a later one, by definition."""
    counts = []
    for done in range(1, len(tasks) + 1):
        before = {s for task in tasks[:done] for s in shared_sources(task)}
        after = {s for task in tasks[done:] for s in shared_sources(task)}
        counts.append(len(before & after))
    return counts


def keys(tasks):
    return [task.product.key for task in tasks]


def test_tasks_that_share_fields_follow_each_other(task_of):
    tasks = [
        task_of("mslp", "pz"),
        task_of("t2m", "t"),
        task_of("wind", "uv"),
        task_of("vorticity", "zw"),
        task_of("gust", "uvg"),
        task_of("pressure", "p"),
    ]
    ordered = thrifty(tasks)

    assert sorted(keys(ordered)) == sorted(keys(tasks))
    assert max(waiting(tasks)) == 4
    assert max(waiting(ordered)) == 2
    at = keys(ordered).index
    assert abs(at("wind") - at("gust")) == 1


def test_tasks_that_share_nothing_keep_their_order(task_of):
    tasks = [task_of(name, name) for name in "abcd"]
    assert thrifty(tasks) == tuple(tasks)


@given(st.lists(st.sets(st.sampled_from("abcdefgh"), min_size=1, max_size=4), max_size=10))
def test_every_task_is_there_once_and_the_order_is_always_the_same(task_of, needs):
    tasks = [task_of(f"p{k}", sorted(names)) for k, names in enumerate(needs)]
    ordered = thrifty(tasks)
    assert sorted(keys(ordered)) == sorted(keys(tasks))
    assert thrifty(tasks) == ordered


def test_a_total_shares_the_messages_of_its_newest_part_alone(task_of):
    total = task_of("snow", "", recipe="snow_from_buckets")
    inputs = {"amount": (source("old"), source("new")), "snow": (source("s1"), source("s2"))}
    assert shared_sources(replace(total, inputs=inputs)) == {source("new"), source("s2")}


def test_frames_come_in_the_order_of_the_job_and_pictures_do_not_depend_on_it(make_job, real_file):
    products = ["t850", "t2m"]
    first = make_job(real_file("gfs", 6), "gfs", GFS, 6, products)
    turned = replace(first, tasks=first.tasks[::-1])

    one, other = render_hour(first), render_hour(turned)

    assert [frame.product for frame in one.frames] == products
    assert [frame.product for frame in other.frames] == products[::-1]
    assert {f.product: f.sha256 for f in one.frames} == {f.product: f.sha256 for f in other.frames}
