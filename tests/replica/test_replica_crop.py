"""Sub-regions of real messages, read back with eccodes and compared with the originals."""

import struct

import aiohttp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.replica.asking import GFS, GFS_F006, HRRR_F06, Client, eccodes, messages_of
from twf_async.replica.crop import crop
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.main import running_replica
from twf_async.replica.packing import Scale, pack
from twf_async.replica.sections import Sections, read_signed, signed
from twf_async.replica.tree import CropBox

TMP_2M = "&var_TMP=on&lev_2_m_above_ground=on"
PNW = "&leftlon=-129&rightlon=-106&bottomlat=38&toplat=53"


def tolerance(message) -> float:
    """Half a packing step of the answer, and single precision's part of the reference value."""
    step = 2.0 ** message.keys["binaryScaleFactor"] / 10.0 ** message.keys["decimalScaleFactor"]
    return step / 2 + float(np.abs(message.values).max()) * 2.0**-23


async def test_a_gfs_box_holds_the_original_values_south_to_north(replica, gfs_f006):
    answer = await replica.get(f"{GFS_F006}{TMP_2M}&subregion={PNW}")
    (cut,) = messages_of(answer.body)
    original = messages_of(gfs_f006)[5]
    assert original.keys["scanningMode"] == 0
    assert (cut.keys["scanningMode"], cut.keys["packingType"]) == (64, "grid_simple")
    assert cut.shape == (61, 93)
    field = original.values.reshape(721, 1440)
    rows = 90.0 - np.arange(721) * 0.25
    columns = np.arange(1440) * 0.25
    expected = field[np.ix_((rows >= 38) & (rows <= 53), (columns >= 231) & (columns <= 254))]
    got = cut.values.reshape(cut.shape)
    np.testing.assert_allclose(got, expected[::-1], rtol=0, atol=tolerance(cut))
    assert cut.latitudes[0] == 38.0
    assert cut.longitudes[0] == 231.0
    assert (cut.latitudes[-1], cut.longitudes[-1]) == (53.0, 254.0)


async def test_the_scale_of_the_original_is_kept(replica, gfs_f006):
    answer = await replica.get(f"{GFS_F006}&all_var=on&all_lev=on{PNW}")
    for cut, original in zip(messages_of(answer.body), messages_of(gfs_f006), strict=True):
        for key in (
            "decimalScaleFactor",
            "binaryScaleFactor",
            "shortName",
            "dataDate",
            "stepRange",
        ):
            assert cut.keys[key] == original.keys[key]
        assert cut.keys["bitsPerValue"] <= 16


@pytest.mark.parametrize(
    "bounds",
    [
        "&leftlon=231&rightlon=254&bottomlat=38&toplat=53",
        "&subregion=on&leftlon=231&rightlon=254&bottomlat=38&toplat=53",
        "&subregion=&leftlon=-129&rightlon=-106&bottomlat=38&toplat=53",
        "&leftlon=231&rightlon=-106&bottomlat=38&toplat=53",
        "&leftlon=230.9&rightlon=254.1&bottomlat=37.76&toplat=53.2",
    ],
)
async def test_both_longitude_conventions_with_and_without_subregion_are_one_box(replica, bounds):
    plain = await replica.get(f"{GFS_F006}{TMP_2M}{PNW}")
    other = await replica.get(f"{GFS_F006}{TMP_2M}{bounds}")
    assert other.body == plain.body


@pytest.mark.parametrize("bounds", ["&leftlon=-10&rightlon=10", "&leftlon=350&rightlon=370"])
async def test_a_box_across_greenwich_is_one_piece(replica, gfs_f006, bounds):
    answer = await replica.get(f"{GFS_F006}{TMP_2M}&bottomlat=0&toplat=10{bounds}")
    (cut,) = messages_of(answer.body)
    assert cut.shape == (41, 81)
    assert (cut.longitudes[0], cut.longitudes[80]) == (350.0, 10.0)
    field = messages_of(gfs_f006)[5].values.reshape(721, 1440)[320:361][::-1]
    expected = np.concatenate([field[:, 1400:], field[:, :41]], axis=1)
    np.testing.assert_allclose(cut.values.reshape(cut.shape), expected, rtol=0, atol=tolerance(cut))


async def test_the_size_is_header_and_bits_alone(replica):
    """441 points at 8 bits are 620 bytes on NOMADS: 179 of header, then the bits."""
    answer = await replica.get(f"{GFS_F006}{TMP_2M}&leftlon=10&rightlon=15&bottomlat=0&toplat=5")
    (cut,) = messages_of(answer.body)
    assert cut.shape == (21, 21)
    assert len(answer.body) == 179 + -(-441 * cut.keys["bitsPerValue"] // 8)


@pytest.mark.parametrize(
    "bounds",
    [
        "&leftlon=10.1&rightlon=10.2&bottomlat=0.1&toplat=0.2",
        "&leftlon=0&rightlon=360&bottomlat=-90&toplat=90",
    ],
)
async def test_a_box_without_a_point_gives_the_globe_repacked(replica, gfs_f006, bounds):
    answer = await replica.get(f"{GFS_F006}{TMP_2M}{bounds}")
    (cut,) = messages_of(answer.body)
    assert cut.shape == (721, 1440)
    assert (cut.keys["scanningMode"], cut.keys["packingType"]) == (64, "grid_simple")
    expected = messages_of(gfs_f006)[5].values.reshape(721, 1440)[::-1]
    np.testing.assert_allclose(cut.values.reshape(cut.shape), expected, rtol=0, atol=tolerance(cut))


async def test_a_single_grid_point_can_be_cut(replica):
    answer = await replica.get(f"{GFS_F006}{TMP_2M}&leftlon=10&rightlon=10&bottomlat=5&toplat=5")
    (cut,) = messages_of(answer.body)
    assert (cut.shape, cut.keys["bitsPerValue"]) == ((1, 1), 0)


async def test_a_lambert_box_is_the_index_rectangle_that_covers_it(replica, hrrr_f06):
    answer = await replica.get(f"{HRRR_F06}&var_REFC=on&lev_entire_atmosphere=on{PNW}")
    (cut,) = messages_of(answer.body)
    original = messages_of(hrrr_f06)[0]
    assert cut.shape == (536, 701)
    longitudes, latitudes = original.longitudes.reshape(1059, 1799), original.latitudes
    latitudes = latitudes.reshape(longitudes.shape)
    inside = (latitudes >= 38) & (latitudes <= 53) & (longitudes >= 231) & (longitudes <= 254)
    j, i = np.nonzero(inside)
    window = slice(j.min(), j.max() + 1), slice(i.min(), i.max() + 1)
    np.testing.assert_allclose(
        cut.values.reshape(cut.shape),
        original.values.reshape(1059, 1799)[window],
        rtol=0,
        atol=tolerance(cut),
    )
    # The corner is cut to a millionth of a degree: 0.1 m, and as much everywhere.
    np.testing.assert_allclose(cut.latitudes, latitudes[window].ravel(), rtol=0, atol=3e-6)
    np.testing.assert_allclose(cut.longitudes, longitudes[window].ravel(), rtol=0, atol=3e-6)


async def test_only_size_and_corner_of_a_lambert_grid_change(replica, hrrr_f06):
    answer = await replica.get(f"{HRRR_F06}&var_REFC=on&all_lev=on{PNW}")
    cut, original = Sections.of(answer.body).bodies, Sections.of(hrrr_f06[:467390]).bodies
    changed = {k for k, (a, b) in enumerate(zip(cut[3], original[3], strict=True)) if a != b}
    assert changed <= {*range(6, 10), *range(30, 46)}
    assert cut[1] == original[1]
    assert cut[4] == original[4]


async def test_a_lambert_box_outside_the_grid_gives_all_of_it(replica):
    answer = await replica.get(
        f"{HRRR_F06}&var_CICEP=on&all_lev=on&leftlon=10&rightlon=20&bottomlat=0&toplat=10"
    )
    (cut,) = messages_of(answer.body)
    assert cut.shape == (1059, 1799)
    assert cut.keys["packingType"] == "grid_simple"


def test_an_all_variable_file_of_another_grid_can_be_cut(test_data):
    octets = next((test_data / "gfs-2p5").glob("*.grib2")).read_bytes()
    message = octets[: int.from_bytes(octets[8:16], "big")]
    (original,) = messages_of(message)
    cut = crop(message, CropBox.of(left=-10, right=10, bottom=-5, top=5))
    (got,) = messages_of(cut)
    assert (original.shape, got.shape) == ((73, 144), (5, 9))


def test_what_is_not_a_message_comes_back_as_it_is():
    assert crop(b"<html>", CropBox.of(left=0, right=1, bottom=0, top=1)) == b"<html>"


@given(st.integers(-(2**31) + 1, 2**31 - 1))
def test_signed_integers_survive(value):
    assert read_signed(signed(value, 4)) == value


VALUES = st.one_of(st.floats(-1e4, 1e4, width=32), st.just(float("nan")))


@given(
    arrays.arrays(np.float64, st.integers(1, 60), elements=VALUES),
    st.integers(0, 2),
    st.integers(-3, 3),
)
def test_packed_values_are_read_back_within_half_a_step(message_around, values, decimal, binary):
    packed = pack(values, Scale(decimal, binary))
    got, step = message_around(packed, values.size)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(values))
    present = values[~np.isnan(values)]
    if present.size:
        allowed = step / 2 * 1.001 + float(np.abs(present).max()) * 2.0**-22
        np.testing.assert_allclose(got[~np.isnan(got)], present, rtol=0, atol=allowed)


@pytest.fixture(scope="module")
def message_around(gfs_f006):
    """Decode packed sections with eccodes, as a one-row lat/lon grid of a real message."""
    parts = Sections.of(gfs_f006[:882640])

    def decode(packed, size):
        grid = bytearray(parts.bodies[3])
        struct.pack_into(">I", grid, 6, size)
        struct.pack_into(">II", grid, 30, size, 1)
        handle = eccodes().codes_new_from_message(parts.replaced({3: bytes(grid), **packed}))
        try:
            eccodes().codes_set(handle, "missingValue", 1e33)
            values = eccodes().codes_get_values(handle)
            binary = eccodes().codes_get(handle, "binaryScaleFactor")
            decimal = eccodes().codes_get(handle, "decimalScaleFactor")
        finally:
            eccodes().codes_release(handle)
        values[values == 1e33] = np.nan
        return values, 2.0**binary / 10.0**decimal

    return decode


def test_a_range_too_wide_for_sixteen_bits_gets_a_coarser_step(message_around):
    values = np.linspace(0.0, 1e6, 1000)
    got, step = message_around(pack(values, Scale(3, 0)), 1000)
    assert step > 1e-3
    np.testing.assert_allclose(got, values, rtol=0, atol=step)


def test_without_a_scale_the_finest_step_is_chosen(message_around):
    values = np.linspace(-5.0, 5.0, 1000)
    got, _ = message_around(pack(values, None), 1000)
    np.testing.assert_allclose(got, values, rtol=0, atol=2e-4)


async def test_a_message_that_cannot_be_decoded_is_a_500_or_a_broken_stream(
    test_data, tmp_path, gfs_f006
):
    folder = tmp_path / GFS.lstrip("/")
    folder.mkdir(parents=True)
    name = "gfs.t12z.pgrb2.0p25.f006"
    (folder / f"{name}.idx").write_bytes((test_data / f"nomads{GFS}/{name}.idx").read_bytes())
    async with (
        running_replica(DirectoryTree(tmp_path)) as url,
        aiohttp.ClientSession() as session,
    ):
        client = Client(session, url)
        ask = f"{GFS_F006}&all_var=on&all_lev=on{PNW}"
        (folder / name).write_bytes(unreadable(gfs_f006, 882640, 1725912))
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.get(ask)
        (folder / name).write_bytes(unreadable(gfs_f006, 0, 882640))
        assert (await client.get(ask)).status == 500


def unreadable(octets: bytes, start: int, end: int) -> bytes:
    """Give the message at start..end a packing that does not exist."""
    parts = Sections.of(octets[start:end])
    section_5 = bytearray(parts.bodies[5])
    section_5[9:11] = b"\x03\xe7"
    return octets[:start] + parts.replaced({5: bytes(section_5)}) + octets[end:]
