from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.domain.places import Box
from tests.plan_fetch.wishes import CONUS, GFS, GFS_F006, HRRR, HRRR_F06, PNW, keys_of
from twf_async.plan.crossing import split
from twf_async.plan.estimates import cropped_bytes, message_sizes, points_within
from twf_async.plan.filters import filter_requests
from twf_async.plan.idx import parse_idx


def test_two_requests_bring_hardly_more_than_four_would(inventory):
    for name, grid in ((GFS_F006, GFS), (HRRR_F06, HRRR)):
        lines = inventory(name)
        sizes = message_sizes(lines)

        def bytes_of(at_most, lines=lines, sizes=sizes, grid=grid):
            requests = filter_requests(
                lines, keys_of(lines), sizes, box=PNW, grid=grid, at_most=at_most
            )
            return sum(request.estimated_bytes for request in requests)

        assert bytes_of(4) <= bytes_of(2) <= 1.1 * bytes_of(4)
        assert bytes_of(2) < bytes_of(1)


def test_no_field_that_is_here_comes_again_to_save_a_request():
    lines = parse_idx(
        "1:0:d=2026012912:TMP:2 m above ground:6 hour fcst:\n"
        "2:700000:d=2026012912:TMP:surface:6 hour fcst:\n"
        "3:700500:d=2026012912:UGRD:surface:6 hour fcst:\n"
    )
    first, small, last = (line.key for line in lines)

    def brought(held):
        requests = filter_requests(
            lines,
            {first, last},
            message_sizes(lines, 1_400_500),
            box=CONUS,
            grid=GFS,
            at_most=2,
            held=held,
        )
        return [{line.key for line in request.lines} for request in requests]

    assert brought(frozenset()) == [{first, small, last}]
    assert brought(frozenset({small})) == [{first}, {last}]


pairs = st.tuples(st.sampled_from("ABCDE"), st.sampled_from("12345"))


@given(st.sets(pairs, max_size=12), st.dictionaries(pairs, st.integers(0, 1000)), st.integers(1, 4))
def test_a_split_brings_everything_in_few_requests_that_cost_no_more_than_one(
    wanted, costs, at_most
):
    requests = split(wanted, costs, at_most)

    brought = [set(product(r.parameters, r.levels)) for r in requests]
    one = set(product({p for p, _ in wanted}, {level for _, level in wanted}))
    assert wanted <= set().union(*brought)
    assert len(requests) <= at_most
    assert len(requests) <= len(wanted)
    spent = sum(costs.get(pair, 0) for request in brought for pair in request)
    assert spent <= 1.1 * sum(costs.get(pair, 0) for pair in one)
    weighty = [pair for request in brought for pair in request if costs.get(pair, 0)]
    assert len(weighty) == len(set(weighty))  # nothing comes in two answers
    if at_most == 1 and wanted:
        assert brought == [one]


def test_the_estimates_are_near_what_was_measured():
    """Real answers, nomads.md 4.4: 57 GFS fields of CONUS 2.9 MB, 54 HRRR fields of PNW 24 MB."""
    conus = Box(west=-130, east=-60, south=20, north=55)
    pnw = Box(west=-129, east=-106, south=38, north=53)

    assert points_within(GFS, conus) == 281 * 141
    assert points_within(HRRR, pnw) == pytest.approx(701 * 536, rel=0.05)
    assert 57 * cropped_bytes(670_000, GFS, 281 * 141) == pytest.approx(2.9e6, rel=0.05)
    assert 54 * cropped_bytes(726_000, HRRR, 701 * 536) == pytest.approx(24e6, rel=0.1)
    assert cropped_bytes(188, HRRR, 10**6) == 200


@pytest.mark.parametrize(
    ("west", "east", "width"), [(-180, 180, 1441), (170, -170, 81), (-1, 1, 9)]
)
def test_boxes_across_seams_are_as_wide_as_they_are(west, east, width):
    box = Box(west=west, east=east, south=0, north=10)
    assert points_within(GFS, box) == width * 41
