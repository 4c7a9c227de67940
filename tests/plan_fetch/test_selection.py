from itertools import product

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.places import Box
from tests.plan_fetch.wishes import (
    CONUS,
    GFS,
    GFS_F006,
    HRRR,
    HRRR_AREA,
    HRRR_F06,
    PNW,
    keys_of,
)
from twf_async.plan.idx import parse_idx
from twf_async.plan.ranges import REQUEST_BYTES
from twf_async.plan.selection import select


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


def test_several_ranges_in_one_request_bring_nothing_unwanted_and_count_as_one(inventory):
    lines = inventory(GFS_F006)
    wanted = keys_of(lines)

    one = select(lines, wanted, box=None, grid=GFS)
    several = select(lines, wanted, box=None, grid=GFS, several=True)

    assert several.estimated_bytes <= one.estimated_bytes
    assert len(several.ranges) >= len(one.ranges)
    assert {line.key for stretch in several.ranges for line in stretch.lines} == wanted


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
