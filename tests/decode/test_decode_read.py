"""Messages by exact key; whatever a file holds, an answer and never an exception."""

import struct

import eccodes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from render_farm.decode.fields import Failure, Field
from render_farm.decode.limits import limits_of
from render_farm.decode.read import read
from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.grib2 import walk
from render_farm.domain.jobs import MessageSource, Reason
from tests.decode.gribmint import LAMBERT, LATLON, mint

CYCLE = "2026012912"
T2M = MessageKey("TMP", "2 m above ground", 6, 6, Statistic.INSTANT)
COUNT = 31 * 21
APCP = {
    "productDefinitionTemplateNumber": 8,
    "parameterCategory": 1,
    "parameterNumber": 8,
    "typeOfFirstFixedSurface": 1,
    "typeOfStatisticalProcessing": 1,
    "forecastTime": 0,
    "indicatorOfUnitForTimeRange": 1,
    "lengthOfTimeRange": 6,
}
TOTAL = MessageKey("APCP", "surface", 0, 6, Statistic.ACCUMULATION)
TCDC = {"parameterCategory": 6, "parameterNumber": 1, "typeOfFirstFixedSurface": 10}
CLOUD = MessageKey("TCDC", "entire atmosphere", 6, 6, Statistic.INSTANT)


def read_one(tmp_path, data, key=T2M, cycle=CYCLE):
    path = tmp_path / "field.grib2"
    path.write_bytes(data)
    source = MessageSource(str(path), key)
    results = read([source], cycle=cycle)
    assert list(results) == [source]
    return results[source]


def assert_failed(result, reason, *words):
    assert isinstance(result, Failure)
    assert result.reason is reason
    assert result.detail.endswith(".")
    assert "\n" not in result.detail
    for word in words:
        assert word in result.detail


def test_values_have_their_place_their_unit_and_their_key(tmp_path):
    values = 250 + np.arange(COUNT) / 10
    field = read_one(tmp_path, mint(LATLON, values))

    assert isinstance(field, Field)
    assert (field.key, field.units, field.earth_relative) == (T2M, "K", True)
    assert field.offset == 0
    assert field.values.dtype == np.float32
    assert field.values.flags.c_contiguous
    assert not field.values.flags.writeable
    np.testing.assert_allclose(field.values, values.reshape(21, 31), atol=1e-3)


def test_rows_from_the_south_are_turned_round(tmp_path):
    """What the grib filter sends: we:sn."""
    keys = {
        **LATLON,
        "jScansPositively": 1,
        "latitudeOfFirstGridPointInDegrees": 40.0,
        "latitudeOfLastGridPointInDegrees": 60.0,
    }
    values = 250 + np.arange(COUNT) / 10
    field = read_one(tmp_path, mint(keys, values))

    np.testing.assert_allclose(field.values, values.reshape(21, 31)[::-1], atol=1e-3)
    assert field.grid == read_one(tmp_path, mint(LATLON)).grid


def test_columns_from_the_east_and_values_by_columns_are_turned_too(tmp_path):
    values = 250 + np.arange(COUNT) / 10
    east = {
        **LATLON,
        "iScansNegatively": 1,
        "longitudeOfFirstGridPointInDegrees": 260.0,
        "longitudeOfLastGridPointInDegrees": 230.0,
    }
    by_east = read_one(tmp_path, mint(east, values))
    np.testing.assert_allclose(by_east.values, values.reshape(21, 31)[:, ::-1], atol=1e-3)
    by_column = read_one(tmp_path, mint({**LATLON, "jPointsAreConsecutive": 1}, values))
    np.testing.assert_allclose(by_column.values, values.reshape(31, 21).T, atol=1e-3)


def test_gaps_are_nan(tmp_path):
    field = read_one(tmp_path, mint(LATLON, missing=[0, 5, 40]))

    assert sorted(np.flatnonzero(np.isnan(field.values))) == [0, 5, 40]


def test_a_field_of_one_value_needs_no_bits(tmp_path):
    field = read_one(tmp_path, mint(LATLON, np.full(COUNT, 100.0), **TCDC), CLOUD)

    assert (field.values == 100.0).all()


def test_constant_zero_totals_of_an_analysis_are_read(test_data):
    path = next(test_data.glob("nomads/**/hrrr.t17z.wrfsfcf00.grib2"))
    key = MessageKey("PRATE", "surface", 0, 0, Statistic.INSTANT)
    source = MessageSource(str(path), key)
    field = read([source], cycle="2026012917")[source]
    assert (field.values == 0).all()


def test_a_bucket_is_never_taken_for_the_total_nor_2_hpa_for_2_metres(test_data):
    hrrr = str(next(test_data.glob("nomads/**/hrrr.t17z.wrfsfcf06.grib2")))
    gfs = str(next(test_data.glob("nomads/**/gfs.t12z.pgrb2.0p25.f006")))
    bucket = MessageSource(hrrr, MessageKey("APCP", "surface", 5, 6, Statistic.ACCUMULATION))
    run = MessageSource(hrrr, TOTAL)

    amounts = read([bucket, run], cycle="2026012917")

    assert amounts[run].values.max() == pytest.approx(24.982, abs=1e-3)
    assert amounts[bucket].values.max() == pytest.approx(10.62, abs=1e-3)
    assert (amounts[run].values >= amounts[bucket].values - 0.3).all()
    metres = MessageSource(gfs, T2M)
    hectopascals = MessageSource(gfs, MessageKey("TMP", "2 mb", 6, 6, Statistic.INSTANT))
    temperatures = read([metres, hectopascals], cycle=CYCLE)
    assert temperatures[metres].values.max() > 310
    assert temperatures[hectopascals].values.max() < 290


def test_every_field_of_the_old_global_file_is_read_second_parts_too(test_data):
    """Against eccodes with its multi-field switch on, value by value."""
    (path,) = test_data.glob("gfs-2p5/*.grib2")
    with path.open("rb") as file:
        heads = list(walk(file))
    results = read([MessageSource(str(path), h.key) for h in heads if h.key], cycle="2011100800")
    assert len(results) == 342
    failures = [result for result in results.values() if isinstance(result, Failure)]
    assert failures == []
    seen, missing = set(), 0
    eccodes.codes_grib_multi_support_on()
    try:
        with path.open("rb") as file:
            for head in heads:
                handle = eccodes.codes_grib_new_from_file(file)
                eccodes.codes_set(handle, "missingValue", 1e30)
                expected = eccodes.codes_get_values(handle).reshape(73, 144)
                expected[expected == 1e30] = np.nan
                eccodes.codes_release(handle)
                if head.key is None or head.key in seen:
                    continue
                seen.add(head.key)
                field = results[MessageSource(str(path), head.key)]
                limits = limits_of(head.key)
                expected = np.clip(expected, limits.floor, limits.ceiling)
                np.testing.assert_allclose(field.values, expected, rtol=1e-6)
                missing += int(np.isnan(expected).sum())
    finally:
        eccodes.codes_grib_multi_support_off()
    assert len(seen) == 342
    assert missing > 10_000  # soil below the sea, clouds that are not there


def test_winds_along_the_grid_say_so(tmp_path):
    wind = {**LAMBERT, "parameterCategory": 2, "parameterNumber": 2}
    key = MessageKey("UGRD", "2 m above ground", 6, 6, Statistic.INSTANT)
    along = read_one(tmp_path, mint(wind, np.linspace(-9, 9, 2400)), key)
    assert not along.earth_relative
    east = mint({**wind, "resolutionAndComponentFlags": 0}, np.linspace(-9, 9, 2400))
    assert read_one(tmp_path, east, key).earth_relative


def test_a_key_that_is_not_there_is_missing(tmp_path):
    key = MessageKey("DPT", "2 m above ground", 6, 6, Statistic.INSTANT)
    result = read_one(tmp_path, mint(LATLON), key)
    assert_failed(result, Reason.FIELD_MISSING, "field.grib2", "DPT:2 m above ground:6 hour fcst")


def test_a_message_of_another_run_is_refused(tmp_path):
    result = read_one(tmp_path, mint(LATLON), cycle="2026012918")
    assert_failed(result, Reason.BAD_DATA, "2026012912", "2026012918")


def test_an_html_page_is_bad_data(tmp_path):
    result = read_one(tmp_path, b"<html><body>Over Rate Limit</body></html>")
    assert_failed(result, Reason.BAD_DATA, "field.grib2", "<html>")


def test_an_empty_file_is_bad_data(tmp_path):
    assert_failed(read_one(tmp_path, b""), Reason.BAD_DATA, "nothing")


def test_no_file_is_bad_data(tmp_path):
    source = MessageSource(str(tmp_path / "gone"), T2M)
    assert_failed(read([source], cycle=CYCLE)[source], Reason.BAD_DATA, "No such file")


def test_a_message_cut_short_costs_only_itself(tmp_path):
    cloud = mint(LATLON, np.linspace(0, 100, COUNT), **TCDC)
    path = tmp_path / "cut.grib2"
    path.write_bytes(mint(LATLON) + cloud[:-40])
    sources = [MessageSource(str(path), key) for key in (T2M, CLOUD)]

    results = read(sources, cycle=CYCLE)

    assert isinstance(results[sources[0]], Field)
    assert_failed(results[sources[1]], Reason.BAD_DATA, "damaged", "ends")


def test_a_field_without_any_value_is_refused(tmp_path):
    result = read_one(tmp_path, mint(LATLON, missing=slice(None)))
    assert_failed(result, Reason.BAD_DATA, "every value is missing")


@pytest.mark.parametrize("value", [1e10, -1e10, 0.0])
def test_absurd_values_are_refused(tmp_path, value):
    values = np.full(COUNT, 280.0)
    values[17] = value
    result = read_one(tmp_path, mint(LATLON, values))
    assert_failed(result, Reason.BAD_DATA, "TMP:2 m above ground", "100..400")


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_refused(tmp_path, value):
    """IEEE packing can hold them."""
    values = np.full(COUNT, 280.0, ">f4")
    message = mint(LATLON, values, packingType="grid_ieee", precision=1)
    plain = values.tobytes()
    values[17] = value
    assert plain in message
    result = read_one(tmp_path, message.replace(plain, values.tobytes()))
    assert_failed(result, Reason.BAD_DATA, "inf")


def test_a_reference_value_of_1e10_is_refused(tmp_path):
    """The four bytes a flipped bit most easily turns into nonsense; eccodes says nothing."""
    message = bytearray(mint(LATLON))
    section_5 = bytes(message).index(struct.pack(">IBI", 21, 5, COUNT))
    message[section_5 + 11 : section_5 + 15] = struct.pack(">f", 1e10)
    assert_failed(read_one(tmp_path, bytes(message)), Reason.BAD_DATA, "1e+10")


def test_packing_noise_of_cloud_is_taken_off(tmp_path):
    """NCEP files hold -1 and 101 %."""
    field = read_one(tmp_path, mint(LATLON, np.linspace(-1, 101, COUNT), **TCDC), CLOUD)
    assert (field.values.min(), field.values.max()) == (0, 100)


def test_noise_below_a_total_of_zero_is_zero(tmp_path):
    field = read_one(tmp_path, mint(LATLON, np.linspace(-0.29, 9, COUNT), **APCP), TOTAL)
    assert field.values.min() == 0
    assert field.values.max() == pytest.approx(9, abs=1e-3)
    assert field.units == "kg m-2"


def test_totals_below_noise_are_refused(tmp_path):
    result = read_one(tmp_path, mint(LATLON, np.linspace(-0.5, 9, COUNT), **APCP), TOTAL)
    assert_failed(result, Reason.BAD_DATA, "APCP:surface:0-6 hour acc fcst", "-0.5")


def test_a_grid_that_we_cannot_read_is_bad_data(tmp_path):
    result = read_one(tmp_path, mint({**LATLON, "gridType": "rotated_ll"}))
    assert_failed(result, Reason.BAD_DATA, "rotated_ll")


def test_a_packing_that_nobody_knows_is_bad_data(tmp_path):
    message = bytearray(mint(LATLON))
    section_5 = bytes(message).index(struct.pack(">IBI", 21, 5, COUNT))
    message[section_5 + 9 : section_5 + 11] = struct.pack(">H", 29_999)
    assert_failed(read_one(tmp_path, bytes(message)), Reason.BAD_DATA, "cannot be decoded")


def test_a_message_that_comes_twice_is_read_once(tmp_path):
    """GFS f006 has its total twice, byte for byte."""
    field = read_one(tmp_path, mint(LATLON) * 2)
    assert isinstance(field, Field)
    assert field.offset == 0


def test_a_field_knows_where_its_message_begins(tmp_path):
    cloud = mint(LATLON, np.linspace(0, 100, COUNT), **TCDC)
    field = read_one(tmp_path, cloud + mint(LATLON))
    assert isinstance(field, Field)
    assert field.offset == len(cloud)


def test_a_file_that_changes_is_read_anew(tmp_path):
    assert_failed(read_one(tmp_path, mint(LATLON), CLOUD), Reason.FIELD_MISSING)
    cloud = mint(LATLON, np.linspace(0, 100, COUNT), **TCDC)
    assert isinstance(read_one(tmp_path, mint(LATLON) + cloud, CLOUD), Field)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_message_with_flipped_bytes_never_raises(tmp_path, data):
    """Sections 1 to 4 and 7; the numbers of section 5 rule how much memory eccodes takes."""
    message = bytearray(mint(LATLON))
    section_5 = bytes(message).index(struct.pack(">IBI", 21, 5, COUNT))
    place = st.one_of(st.integers(0, section_5 - 1), st.integers(section_5 + 32, len(message) - 1))
    for at, value in data.draw(
        st.lists(st.tuples(place, st.integers(0, 255)), min_size=1, max_size=4)
    ):
        message[at] = value
    assert isinstance(read_one(tmp_path, bytes(message)), Field | Failure)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1000))
def test_a_file_cut_anywhere_never_raises(tmp_path, length):
    whole = mint(LATLON)
    result = read_one(tmp_path, whole[: length % len(whole)])
    assert_failed(result, Reason.BAD_DATA)


PRESSURE = {"parameterCategory": 3, "parameterNumber": 1, "typeOfFirstFixedSurface": 101}
MSLP = MessageKey("PRMSL", "mean sea level", 6, 6, Statistic.INSTANT)
GROUND = {"typeOfFirstFixedSurface": 1}


def test_a_field_that_is_the_same_everywhere_is_refused_where_weather_never_is(tmp_path):
    """What a model writes when it has not computed a field, and a map of one colour would lie."""
    result = read_one(tmp_path, mint(LATLON, np.full(COUNT, 273.0)))
    assert_failed(result, Reason.BAD_DATA, "TMP:2 m above ground", f"all {COUNT}", "273")
    result = read_one(tmp_path, mint(LATLON, np.full(COUNT, 101_325.0), **PRESSURE), MSLP)
    assert_failed(result, Reason.BAD_DATA, "PRMSL")
    result = read_one(tmp_path, mint(LATLON, np.full(COUNT, 2.5), **APCP), TOTAL)
    assert_failed(result, Reason.BAD_DATA, "APCP", "2.5")
    result = read_one(tmp_path, mint(LATLON, np.full(COUNT, 37.0), **TCDC), CLOUD)
    assert_failed(result, Reason.BAD_DATA, "TCDC", "37")


def test_what_may_be_the_same_everywhere_is_read(tmp_path):
    """No rain, a cloudless sky, melting ice; or a handful of points."""
    for keys, key, value in (
        (APCP, TOTAL, 0.0),
        (TCDC, CLOUD, 0.0),
        (TCDC, CLOUD, 100.0),
        (GROUND, MessageKey("TMP", "surface", 6, 6, Statistic.INSTANT), 273.15),
    ):
        assert isinstance(
            read_one(tmp_path, mint(LATLON, np.full(COUNT, value), **keys), key), Field
        )
    small = {**LATLON, "Nx": 7, "Ny": 9}
    small["longitudeOfLastGridPointInDegrees"] = 236.0
    small["latitudeOfLastGridPointInDegrees"] = 52.0
    assert isinstance(read_one(tmp_path, mint(small, np.full(63, 273.0))), Field)
