"""Values that stand alone, and fields that tilt: refused where they cannot be, never where true."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.decode.grid import Grid
from render_farm.decode.jumps import spikes
from render_farm.decode.message import decode
from render_farm.decode.ramps import is_ramp
from render_farm.decode.read import read
from render_farm.decode.sanity import UNMATCHED, BadValues, require_smooth
from render_farm.decode.smoothness import smoothness
from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.grib2 import field_bytes, walk
from render_farm.domain.jobs import MessageSource
from render_farm.domain.places import Box
from tests.decode.flips import demo_filter, flipped, highest_bits, outcome, real_filter, real_ranges

QUARTER = Grid("latlon", 80, 60, "+proj=longlat +R=6371229 +no_defs", -130.0, 55.0, 0.25, -0.25)
T850 = MessageKey("TMP", "850 mb", 6, 6, Statistic.INSTANT)
T2M = MessageKey("TMP", "2 m above ground", 6, 6, Statistic.INSTANT)
RAIN = MessageKey("APCP", "surface", 0, 6, Statistic.ACCUMULATION)
MARGIN = 0.7  # of its limits, that no true field may come nearer to
BOXES = (
    (),
    (Box(west=-126.0, east=-109.0, south=41.25, north=49.5),),
    (Box(west=-125.0, east=-66.5, south=23.0, north=50.5),),
)


def gentle(seed=0, grid=QUARTER):
    """A field as smooth as temperature at 850 hPa."""
    chance = np.random.default_rng(seed)
    y, x = np.mgrid[0 : grid.ny, 0 : grid.nx].astype(np.float32)
    waves = 8 * np.sin(x / 17) * np.cos(y / 13) + 0.1 * y
    return (270 + waves + chance.normal(0, 0.05, grid.shape)).astype(np.float32)


def nearness(field):
    """How near a field comes to being refused; from 1 on it is."""
    limits = smoothness(field.key, field.grid.cell_km)
    if limits is None:
        return 0.0
    least = min(limits.alone, limits.at_most, limits.unmatched)
    found = spikes(field.values, 0.1 * least)
    third = found[2].height if len(found) > 2 else 0.1 * least
    scores = [0.0]
    for spike in found:
        steep = spike.height / max(limits.times * spike.spread, 1e-9)
        lonely = max(
            spike.height / limits.alone,
            min(spike.height / limits.unmatched, spike.height / (UNMATCHED * third)),
        )
        scores += [spike.height / limits.at_most, min(steep, lonely)]
    return max(scores)


def test_a_value_that_stands_alone_is_refused_with_its_place():
    values = gentle()
    values[30, 40] += 12

    with pytest.raises(BadValues, match="row and column 30, 40 stands"):
        require_smooth(values, QUARTER, T850)


@pytest.mark.parametrize("shape", [(1, 2), (1, 7)], ids=["two values", "a stretch of a row"])
def test_neighbours_of_one_row_that_were_damaged_together_are_refused(shape):
    values = gentle()
    values[30 : 30 + shape[0], 40 : 40 + shape[1]] -= 12

    with pytest.raises(BadValues):
        require_smooth(values, QUARTER, T850)


def test_a_smaller_one_is_refused_where_nothing_else_stands_out():
    values = gentle()
    values[30, 40] += 5

    with pytest.raises(BadValues):
        require_smooth(values, QUARTER, T850)


def test_one_among_others_of_its_kind_is_weather():
    values = gentle()
    values[10:50:10, 10:70:10] += 5

    require_smooth(values, QUARTER, T850)


def test_a_summit_in_steep_surroundings_is_weather():
    values = gentle()
    for size in (2, 1, 0):
        values[30 - size : 31 + size, 40 - size : 41 + size] += np.float32(6)

    require_smooth(values, QUARTER, T850)


def test_a_front_and_a_coast_are_weather():
    values = gentle()
    values[:, 40:] += np.float32(25)
    values[30:, :] -= np.float32(20)

    require_smooth(values, QUARTER, T850)


def test_what_is_rough_by_nature_may_stand_alone():
    values = np.zeros(QUARTER.shape, np.float32)
    values[30, 40] = 80

    require_smooth(values, QUARTER, RAIN)


def test_beside_missing_values_nothing_is_judged_and_elsewhere_all():
    values = gentle()
    values[20:40, 20:60] = np.nan
    values[25, 30] = 300.0
    require_smooth(values, QUARTER, T850)

    values[10, 10] += 15
    with pytest.raises(BadValues, match="10, 10"):
        require_smooth(values, QUARTER, T850)


@pytest.mark.parametrize("shape", [(2, 90), (90, 2), (4, 4)])
def test_a_field_too_small_to_have_surroundings_is_taken(shape):
    values = np.zeros(shape, np.float32)
    values[1, 1] = 50

    require_smooth(values, QUARTER, T850)


@pytest.mark.parametrize("place", [(2, 0), (57, 79), (30, 1)])
def test_the_sides_of_a_window_count_as_well(place):
    values = gentle()
    values[place] += 15

    with pytest.raises(BadValues, match=f"{place[0]}, {place[1]} stands"):
        require_smooth(values, QUARTER, T850)


def test_on_a_coarse_grid_a_storm_is_one_point():
    """As in 2.5 degrees: the eye of a hurricane, 195 m below all around it."""
    coarse = Grid("latlon", 80, 60, QUARTER.crs, -130.0, 75.0, 2.5, -2.5)
    values = gentle()
    values[30, 40] -= 195

    require_smooth(values, coarse, MessageKey("HGT", "850 mb", 6, 6, Statistic.INSTANT))


def test_a_tilted_end_is_a_ramp_whichever_way_it_goes():
    rows, nx = 200, 300
    rain = np.maximum(np.random.default_rng(1).normal(-3, 2, (rows, nx)), 0)
    assert not is_ramp(rain, 0.001 * nx)

    ramp = np.zeros(rows * nx)
    ramp[60 * nx + 17 :] = 0.02 * np.arange(ramp.size - 60 * nx - 17)
    for sign in (1, -1):
        assert is_ramp(rain + sign * ramp.reshape(rows, nx), 0.02 * nx)


def test_a_field_that_is_steep_all_over_is_no_ramp():
    height = 5000 - 3.0 * np.arange(400)[:, None] + np.random.default_rng(1).normal(0, 1, (400, 90))

    assert not is_ramp(height, 0.001 * 90)


def test_a_field_of_which_half_is_missing_is_no_ramp():
    values = np.cumsum(np.ones((100, 50)), axis=0)
    values[:60] = np.nan

    assert not is_ramp(values, 0.1)


@given(st.integers(0, 2**32 - 1), st.integers(1, 70), st.integers(1, 70), st.floats(0, 0.5))
def test_any_field_with_any_gaps_has_an_answer(seed, ny, nx, gaps):
    chance = np.random.default_rng(seed)
    values = chance.normal(270, 10 ** chance.uniform(-3, 3), (ny, nx)).astype(np.float32)
    values[chance.random((ny, nx)) < gaps] = np.nan
    values[0, 0] = 1.0

    found = spikes(values, 3.0)

    assert all(s.height > 3.0 and s.spread >= 0 for s in found)
    assert [s.height for s in found] == sorted((s.height for s in found), reverse=True)
    is_ramp(values.astype(np.float64), 0.01)


def test_no_real_field_comes_near_its_limits(test_data):
    """Nor one that is cut to a region; 2.5 degrees on a globe, 0.25, and 3 km with mountains."""
    files = [p for p in sorted(test_data.glob("nomads/**/*")) if p.is_file() and p.suffix != ".idx"]
    files += sorted(test_data.glob("gfs-2p5/*"))
    near = {}
    seen = 0
    for path in files:
        for boxes in BOXES if "2p5" not in path.name else ((),):
            with path.open("rb") as file:
                for head in list(walk(file)):
                    if head.key is None or smoothness(head.key, 1.0) is None:
                        continue
                    seen += 1
                    near[path.name, head.text, boxes] = nearness(
                        decode(field_bytes(file, head), head, boxes)
                    )
    assert seen > 150, "too few to prove anything"
    assert {name: score for name, score in near.items() if score > MARGIN} == {}


@pytest.mark.parametrize(("model", "month"), [("gfs", 1), ("hrrr", 7)])
def test_no_field_of_the_synthetic_atmosphere_comes_near_its_limits(model, month):
    """Storms, fronts and coasts over mountains, summer and winter, in all that products take."""
    body = demo_filter(model, datetime(2026, month, 27, 12, tzinfo=UTC), 18)
    heads = list(walk(stream := io.BytesIO(body)))
    near = {head.text: nearness(decode(field_bytes(stream, head), head)) for head in heads}

    assert len(near) > 30
    assert {name: score for name, score in near.items() if score > MARGIN} == {}


def test_no_small_window_of_a_real_field_comes_near_its_limits(test_data):
    """Regions of a few degrees, all over the globe: there a summit has hardly a match."""
    (path,) = test_data.glob("nomads/**/*0p25.f006")
    near = {}
    with path.open("rb") as file:
        for head in list(walk(file)):
            field = decode(field_bytes(file, head), head)
            for top in range(0, field.grid.ny - 24, 24):
                for left in range(top % 48, field.grid.nx, 48):
                    values = np.ascontiguousarray(field.values[top : top + 24, left : left + 24])
                    near[head.text, top, left] = nearness(replace(field, values=values))
    assert len(near) > 3000
    assert {name: score for name, score in near.items() if score > MARGIN} == {}


def test_every_real_message_is_still_taken(test_data):
    """The rough ones as well: echoes, rain, types, cloud, snow, what reaches up to a cloud."""
    for path in (next(test_data.glob("gfs-2p5/*")), *test_data.glob("nomads/**/*f06.grib2")):
        with path.open("rb") as file:
            heads = [head for head in walk(file) if head.key is not None]
        sources = [MessageSource(str(path), head.key) for head in heads]
        found = read(sources, cycle=heads[0].cycle)
        refused = {str(s.key): f.detail for s, f in found.items() if not hasattr(f, "values")}
        assert refused == {}


@pytest.fixture(scope="module")
def cut_out(test_data, tmp_path_factory):
    return real_filter(test_data, tmp_path_factory.mktemp("filter"))


def test_the_highest_bit_of_a_value_in_a_filter_answer_is_mostly_noticed(cut_out, tmp_path):
    head = next(h for h in cut_out.heads if h.text.startswith("UGRD:850"))
    stages = [
        outcome(cut_out, head.offset + bit // 8, 0x80 >> bit % 8, tmp_path, bit).stage
        for bit in highest_bits(cut_out, head)
    ]

    assert stages.count("jumps") >= 0.6 * len(stages)


def test_a_moved_corner_of_one_field_among_others_is_refused(cut_out, tmp_path):
    head = cut_out.heads[1]
    latitude = head.offset + 16 + 21 + 46  # octets 47-50 of section 3
    assert flipped(cut_out.data, latitude + 1, 4) != cut_out.data

    found = outcome(cut_out, latitude + 1, 4, tmp_path)

    assert (found.stage, "lies elsewhere" in found.detail) == ("grid", True)


def section_5(answer, head):
    """Where the numbers of section 5 begin, in the whole answer."""
    message = answer.data[head.offset : head.offset + head.length]
    at = 16
    while message[at + 4] != 5:
        at += int.from_bytes(message[at : at + 4], "big")
    return head.offset + at


@pytest.mark.parametrize("bit", range(8))
def test_another_number_of_bits_than_the_data_have_is_refused(cut_out, tmp_path, bit):
    at = section_5(cut_out, cut_out.heads[2]) + 19

    assert outcome(cut_out, at, 1 << bit, tmp_path).stage == "packing"


def test_a_scale_that_leaves_a_wind_calm_everywhere_is_refused(cut_out, tmp_path):
    head = next(h for h in cut_out.heads if h.text.startswith("UGRD:850"))

    found = outcome(cut_out, section_5(cut_out, head) + 18, 1 << 3, tmp_path)

    assert (found.stage, "points lie between" in found.detail) == ("range", True)


def test_flips_in_original_messages_of_rain_do_not_tilt_a_map(test_data, tmp_path):
    """Every hundredth byte of a stretch of real 6 h rain: refused, or no map shows it."""
    answer = real_ranges(test_data, "*sfcf06.grib2", (), tmp_path)
    head = next(h for h in answer.heads if h.text.startswith("APCP:surface:0-6"))
    chance = np.random.default_rng(7)
    outcomes = [
        outcome(answer, head.offset + int(at), 1 << int(chance.integers(8)), tmp_path, int(at))
        for at in chance.integers(0.3 * head.length, 0.95 * head.length, 20)
    ]

    assert [each for each in outcomes if each.stage == "undetected" and each.bins > 0.01] == []
