from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.models import GridSize
from render_farm.domain.places import Box
from twf_async.plan.crossing import split
from twf_async.plan.estimates import cropped_bytes, message_sizes, points_within
from twf_async.plan.idx import parse_idx
from twf_async.plan.selection import (
    PART_BYTES,
    REQUEST_BYTES,
    filter_requests,
    merged_ranges,
    select,
)

GFS = GridSize(points=1_038_240, step_deg=0.25)
HRRR = GridSize(points=1_905_141, step_km=3.0)
PNW = Box(west=-126, east=-109, south=41.25, north=49.5)
CONUS = Box(west=-125, east=-66, south=24, north=50)
HRRR_AREA = Box(west=-134.1, east=-60.9, south=21.1, north=52.6)

SHIPPED = {
    "TMP:2 m above ground",
    "UGRD:10 m above ground",
    "VGRD:10 m above ground",
    "PRMSL:mean sea level",
    "MSLMA:mean sea level",
    "PRATE:surface",
    "CRAIN:surface",
    "CSNOW:surface",
    "CICEP:surface",
    "CFRZR:surface",
    "HGT:500 mb",
    "HGT:1000 mb",
    "APCP:surface",
    "TMP:850 mb",
    "UGRD:850 mb",
    "VGRD:850 mb",
    "REFC:entire atmosphere",
}


@pytest.fixture(scope="session")
def inventory(test_data):
    def read(name):
        return parse_idx((test_data / "idx" / name).read_text())

    return read


def keys_of(lines, fields=frozenset(SHIPPED)):
    return frozenset(
        line.key
        for line in lines
        if line.key is not None and f"{line.parameter}:{line.level}" in fields
    )


GFS_F006 = "gfs.t12z.pgrb2.0p25.f006.idx"
HRRR_F06 = "hrrr.t17z.wrfsfcf06.grib2.idx"


def test_2_hpa_is_never_taken_for_2_m(inventory):
    lines = inventory(GFS_F006)
    wanted = keys_of(lines, {"TMP:2 m above ground"})

    for way in ("FILTERED", "RANGES"):
        selection = select(lines, wanted, box=PNW, grid=GFS, way=way)
        got = [line for part in (*selection.filters, *selection.ranges) for line in part.lines]
        assert [line.level for line in got] == ["2 m above ground"]


def test_f000_misses_what_only_later_hours_have(inventory):
    total = MessageKey("APCP", "surface", 0, 6, Statistic.ACCUMULATION)
    t2m = MessageKey("TMP", "2 m above ground", 0, 0, Statistic.INSTANT)

    selection = select(
        inventory("gfs.t12z.pgrb2.0p25.f000.idx"), frozenset({total, t2m}), box=PNW, grid=GFS
    )

    assert (selection.present, selection.missing) == (frozenset({t2m}), frozenset({total}))


def test_nothing_there_asks_for_nothing(inventory):
    absent = MessageKey("CAPE", "moon", 6, 6, Statistic.INSTANT)
    selection = select(inventory(GFS_F006), frozenset({absent}), box=PNW, grid=GFS)

    assert selection.method is None
    assert selection.missing == {absent}


def test_the_filters_answer_is_foreseen_with_its_cross_product(inventory):
    lines = inventory(GFS_F006)
    wanted = keys_of(lines)

    selection = select(lines, wanted, box=PNW, grid=GFS)

    assert selection.method == "FILTERED"
    assert len(selection.filters) == 3
    assert frozenset().union(*(request.wanted for request in selection.filters)) == wanted
    for request in selection.filters:
        answered = [(line.parameter, line.level) for line in request.lines]
        crossed = set(product(request.parameters, request.levels))
        assert answered == [
            (line.parameter, line.level)
            for line in lines
            if (line.parameter, line.level) in crossed
        ]
    instant_and_mean = [
        line.forecast
        for request in selection.filters
        for line in request.lines
        if line.parameter == "CSNOW"
    ]
    assert instant_and_mean == ["6 hour fcst", "0-6 hour ave fcst"]


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


def test_hrrr_is_cut_for_a_region_and_ranged_for_the_country(inventory):
    lines = inventory(HRRR_F06)
    wanted = keys_of(lines)

    assert select(lines, wanted, box=PNW, grid=HRRR).method == "FILTERED"
    assert select(lines, wanted, box=HRRR_AREA, grid=HRRR).method == "RANGES"
    assert select(lines, wanted, box=CONUS, grid=HRRR).method == "RANGES"


def test_without_a_filter_script_there_are_only_ranges(inventory):
    lines = inventory(GFS_F006)
    selection = select(lines, keys_of(lines), box=PNW, grid=GFS, has_filter=False)

    assert (selection.method, selection.filters) == ("RANGES", ())


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


def test_real_ranges_are_merged_and_a_doubled_field_is_taken_once(inventory):
    lines = inventory(GFS_F006)
    wanted = keys_of(lines)

    ranges = merged_ranges(lines, wanted, gap_bytes=0)

    taken = [line.key for stretch in ranges for line in stretch.lines]
    assert len(taken) == len(set(taken)) == len(wanted)
    by_number = {line.number: line for line in lines}
    for stretch in ranges:
        assert stretch.start == stretch.lines[0].offset
        assert stretch.end == by_number[stretch.lines[-1].number + 1].offset


KINDS = [f"F{number}" for number in range(8)]


@st.composite
def inventories(draw):
    names = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=20))
    sizes = [draw(st.integers(1, 10**6)) for _ in names]
    rows, offset = [], 0
    for number, (name, size) in enumerate(zip(names, sizes, strict=True), 1):
        rows.append(f"{number}:{offset}:d=2026012912:{name}:surface:6 hour fcst:\n")
        offset += size
    return parse_idx("".join(rows)), offset


@given(inventories(), st.sets(st.sampled_from(KINDS)), st.integers(0, 10**6), st.booleans())
def test_ranges_hold_every_wanted_field_once_in_whole_messages(made, names, gap, size_known):
    lines, total = made
    wanted = keys_of(lines, {f"{name}:surface" for name in names})

    ranges = merged_ranges(lines, wanted, total_bytes=total if size_known else None, gap_bytes=gap)

    assert wanted <= {line.key for stretch in ranges for line in stretch.lines}
    offsets = {line.offset for line in lines} | {total}
    previous_end = -1
    for stretch in ranges:
        end = total if stretch.end is None else stretch.end
        assert {stretch.start, end} <= offsets
        assert previous_end < stretch.start < end or previous_end == stretch.start < end
        inside = [line for line in lines if stretch.start <= line.offset < end]
        assert list(stretch.lines) == inside
        assert (stretch.end is None) == (end == total and not size_known)
        assert stretch.lines[0].key in wanted
        assert stretch.lines[-1].key in wanted
        previous_end = end


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


def test_a_parameter_that_the_filter_has_no_name_for_comes_by_byte_ranges():
    name = "var discipline=0 center=7 local_table=1 parmcat=16 parm=201"
    lines = parse_idx(
        f"1:0:d=2026012912:TMP:2 m above ground:6 hour fcst:\n"
        f"2:900000:d=2026012912:{name}:surface:6 hour fcst:\n"
    )

    chosen = select(lines, frozenset(line.key for line in lines), box=PNW, grid=GFS)

    assert chosen.method == "RANGES"
    assert chosen.missing == frozenset()


def test_what_is_here_does_not_come_again_along_with_what_is_not(inventory):
    """A product more after a reload: its fields would share requests with those of others."""
    lines = inventory(GFS_F006)
    first = keys_of(lines)
    more = keys_of(lines, {"TMP:500 mb", "UGRD:500 mb", "TMP:700 mb", "VGRD:700 mb", "HGT:850 mb"})
    brought = select(lines, first, box=PNW, grid=GFS).filters
    held = frozenset(line.key for request in brought for line in request.lines)

    def again(**here):
        requests = select(lines, more - held, box=PNW, grid=GFS, at_most=1, **here).filters
        return {line.key for request in requests for line in request.lines} & held

    assert again()
    for at_most in (2, 3):
        requests = select(lines, more - held, box=PNW, grid=GFS, at_most=at_most, held=held).filters
        assert not {line.key for request in requests for line in request.lines} & held


def test_stretches_are_not_joined_across_what_is_here_already():
    lines = parse_idx(
        "1:0:d=2026012912:TMP:2 m above ground:6 hour fcst:\n"
        "2:900:d=2026012912:DPT:2 m above ground:6 hour fcst:\n"
        "3:1800:d=2026012912:RH:2 m above ground:6 hour fcst:\n"
    )
    first, between, last = (line.key for line in lines)
    wanted = frozenset({first, last})

    joined = merged_ranges(lines, wanted, total_bytes=2700)
    apart = merged_ranges(lines, wanted, total_bytes=2700, held=frozenset({between}))

    assert [(each.start, each.end) for each in joined] == [(0, 2700)]
    assert [(each.start, each.end) for each in apart] == [(0, 900), (1800, 2700)]


def test_several_ranges_in_one_request_bring_nothing_unwanted_and_count_as_one(inventory):
    lines = inventory(GFS_F006)
    wanted = keys_of(lines)

    one = select(lines, wanted, box=None, grid=GFS)
    several = select(lines, wanted, box=None, grid=GFS, several=True)

    assert several.estimated_bytes <= one.estimated_bytes
    assert len(several.ranges) >= len(one.ranges)
    numbers = {line.number for line in lines if line.key in wanted}
    sizes = message_sizes(lines)
    along = [line.number for r in several.ranges for line in r.lines if line.number not in numbers]
    assert all(sizes[number] <= PART_BYTES for number in along)


def test_what_several_ranges_save_in_requests_is_worth_bytes():
    """Two fields far apart, cut out in one answer of the filter that is larger than both."""
    lines = parse_idx(
        "1:0:d=2026012912:TMP:2 m above ground:6 hour fcst:\n"
        "2:500000:d=2026012912:DPT:2 m above ground:6 hour fcst:\n"
        "3:5000000:d=2026012912:RH:2 m above ground:6 hour fcst:\n"
        "4:5500000:d=2026012912:UGRD:10 m above ground:6 hour fcst:\n"
    )
    wanted = frozenset({lines[0].key, lines[2].key})
    box = Box(west=-180, east=20, south=-50, north=85)

    apart = select(lines, wanted, box=box, grid=GFS, at_most=1)
    at_once = select(lines, wanted, box=box, grid=GFS, at_most=1, several=True)

    assert 0 < apart.estimated_bytes - at_once.estimated_bytes < REQUEST_BYTES
    assert (apart.method, len(at_once.ranges)) == ("FILTERED", 2)
    assert at_once.method == "RANGES"
