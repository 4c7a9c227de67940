"""The grib filter: what it selects and how it fails."""

import pytest

from tests.replica.asking import GFS_F006, GFS_FILTER, HRRR_F06, messages_of
from twf_async.replica.query import read_query
from twf_async.replica.wording import key_of, read_inventory

TMP_AND_LEVELS = "&var_TMP=on&lev_2_m_above_ground=on&lev_850_mb=on"


async def test_without_a_subregion_the_original_bytes_come_in_file_order(replica, gfs_f006):
    answer = await replica.get(f"{GFS_F006}&lev_2_m_above_ground=on&var_TMP=on&lev_850_mb=on")
    assert answer.status == 200
    assert answer.body == gfs_f006[882640:1725912] + gfs_f006[4407198:]


async def test_the_answer_is_chunked_without_a_length_or_a_date(replica):
    answer = await replica.get(GFS_F006 + TMP_AND_LEVELS)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    absent = {"Content-Length", "Last-Modified", "Accept-Ranges"}
    assert not [name for name in absent if name in answer.headers]


async def test_variables_and_levels_are_multiplied(replica):
    query = "&var_TMP=on&var_UGRD=on&lev_850_mb=on&lev_2_mb=on&leftlon=0&rightlon=5&toplat=5"
    answer = await replica.get(f"{GFS_F006}{query}&bottomlat=0")
    found = [(m.keys["shortName"], m.keys["level"]) for m in messages_of(answer.body)]
    assert found == [("t", 850), ("u", 850), ("t", 2)]


async def test_both_accumulations_of_a_variable_come(replica):
    answer = await replica.get(f"{HRRR_F06}&var_APCP=on&lev_surface=on")
    assert [message.keys["stepRange"] for message in messages_of(answer.body)] == ["0-6", "5-6"]


async def test_all_is_everything(replica, gfs_f006):
    assert (await replica.get(f"{GFS_F006}&all_var=on&all_lev=on")).body == gfs_f006


PWAT = "9:0:d=2026012912:PWAT:entire atmosphere (considered as a single layer):6 hour fcst:\n"
PLAIN = "10:10:d=2026012912:TCDC:entire atmosphere:6 hour fcst:\n"
POTENTIAL = "11:20:d=2026012912:UGRD:PV=2e-06 (Km^2/kg/s) surface:6 hour fcst:\n"


@pytest.mark.parametrize(
    ("level", "parameter"),
    [
        (r"lev_entire_atmosphere_\(considered_as_a_single_layer\)", "PWAT"),
        ("lev_entire_atmosphere_(considered_as_a_single_layer)", "PWAT"),
        ("lev_entire_atmosphere", "TCDC"),
        (r"lev_PV=2e-06_\(Km\^2/kg/s\)_surface", "UGRD"),
        ("lev_PV=2e-06_(Km^2/kg/s)_surface", "UGRD"),
    ],
)
def test_levels_are_taken_escaped_and_plain_and_only_whole(level, parameter):
    messages = read_inventory(PWAT + PLAIN + POTENTIAL, 30)
    query = read_query({"dir": "/x", "file": "y", "all_var": "on", level: "on"})
    assert [message.parameter for message in query.chosen(messages)] == [parameter]


async def test_two_millibar_is_not_two_metres(replica):
    answer = await replica.get(f"{GFS_F006}&var_TMP=on&lev_2_mb=on")
    assert [message.keys["level"] for message in messages_of(answer.body)] == [2]
    assert messages_of(answer.body)[0].keys["shortName"] == "t"


async def test_a_file_that_is_not_there_is_the_filters_own_404(replica):
    answer = await replica.get(f"{GFS_FILTER}&file=gfs.t12z.pgrb2.0p25.f024&var_TMP=on&all_lev=on")
    assert answer.status == 404
    assert answer.text.startswith(
        '<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 3.2 Final//EN"><html><head><title>data file '
        "is not present; /common/data/model/com/gfs/prod/gfs.20260129/12/atmos/"
        "gfs.t12z.pgrb2.0p25.f024"
        '</title></head><body bgcolor="#ffffff"><p align=center>Data file is not present: '
    )


async def test_nothing_that_matches_is_200_without_a_byte(replica):
    answer = await replica.get(f"{GFS_F006}&var_TMP=on&lev_3_mb=on")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    "query",
    [
        f"{GFS_FILTER}&file=gfs.t12z.pgrb2.1p00.f006&var_TMP=on&all_lev=on",
        f"{GFS_FILTER}&file=..%2F..%2Fpasswd&var_TMP=on&all_lev=on",
        "/cgi-bin/filter_gfs_0p25.pl?dir=%2F..%2F..&file=x&var_TMP=on",
        f"{GFS_F006}{TMP_AND_LEVELS}&leftlon=a&rightlon=1&toplat=1&bottomlat=0",
        f"{GFS_F006}{TMP_AND_LEVELS}&leftlon=0&rightlon=400&toplat=1&bottomlat=0",
        f"{GFS_F006}{TMP_AND_LEVELS}&leftlon=0&rightlon=4&toplat=0&bottomlat=1",
        f"{GFS_F006}{TMP_AND_LEVELS}&leftlon=0&rightlon=4&toplat=nan&bottomlat=1",
    ],
)
async def test_what_the_script_cannot_work_with_is_500_with_a_text(replica, query):
    answer = await replica.get(query)
    assert (answer.status, answer.text[:6]) == (500, "g2sub:")


@pytest.mark.parametrize("script", ["filter_aigfs_0p25.pl", "filter_nam.pl", "anything"])
async def test_scripts_that_nomads_does_not_have_are_404(replica, script):
    assert (await replica.get(f"/cgi-bin/{script}?dir=%2F")).status == 404


async def test_the_browse_pages_lead_from_the_runs_to_a_file(replica):
    script = "/cgi-bin/filter_gfs_0p25_1hr.pl"
    runs = await replica.get(script)
    assert f'<a href="{script}?dir=%2Fgfs.20260129">gfs.20260129</a>' in runs.text
    files = await replica.get(GFS_FILTER)
    assert '<option value="gfs.t12z.pgrb2.0p25.f006">' in files.text
    assert ".idx" not in files.text
    form = await replica.get(GFS_F006)
    assert 'name="lev_2_m_above_ground"' in form.text
    assert 'name="var_PRMSL"' in form.text


@pytest.mark.parametrize(
    "forecast",
    ["anl", "6 hour fcst", "18-24 hour acc fcst", "0-1 day acc fcst", "0-0 day acc fcst"],
)
def test_forecast_texts_are_read_as_wgrib2_writes_them(forecast):
    key = key_of("APCP", "surface", forecast)
    assert key is not None
    assert key.forecast == forecast


def test_unknown_forecast_texts_have_no_key():
    assert key_of("TMP", "surface", "15 min fcst") is None


def test_lines_of_another_form_are_passed_over_and_lengths_come_from_offsets():
    messages = read_inventory("<html>\n1:0:d=2026012912:A:b:anl:\n2:7:d=2026012912:C:d:anl:\n", 9)
    assert [(m.offset, m.length, m.parameter) for m in messages] == [(0, 7, "A"), (7, 2, "C")]


def test_sub_messages_share_a_message_that_is_sent_once():
    text = "1.1:0:d=2026012912:UGRD:b:anl:\n1.2:0:d=2026012912:VGRD:b:anl:\n"
    messages = read_inventory(text, 9)
    assert [(m.offset, m.length) for m in messages] == [(0, 9), (0, 9)]
    query = read_query({"file": "y", "all_var": "on", "all_lev": "on"})
    assert len(query.chosen(messages)) == 1
