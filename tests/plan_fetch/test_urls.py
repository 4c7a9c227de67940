from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from render_farm.domain.places import Box
from twf_async.errors import BadConfiguration
from twf_async.plan.urls import (
    bounds,
    expand,
    file_path,
    filter_url,
    idx_url,
    level_name,
    mirror_url,
    span_deg,
    static_url,
)
from twf_async.settings.load import load

NOMADS = "https://nomads.ncep.noaa.gov"
PNW = Box(west=-125, east=-110, south=42, north=49)


@pytest.fixture(scope="session")
def models(config_dir):
    return load(config_dir, {}).catalog.models


@pytest.mark.parametrize(
    ("model", "file", "hour", "path"),
    [
        ("gfs", 0, 6, "gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"),
        (
            "aigfs",
            1,
            384,
            "aigfs/prod/aigfs.20260129/12/model/atmos/grib2/aigfs.t12z.pres.f384.grib2",
        ),
        ("hrrr", 0, 6, "hrrr/prod/hrrr.20260129/conus/hrrr.t12z.wrfsfcf06.grib2"),
    ],
)
def test_shipped_templates_give_the_paths_of_nomads(models, model, file, hour, path):
    described = models[model]

    url = static_url(NOMADS, described, described.files[file], "2026012912", hour)

    assert url == f"{NOMADS}/pub/data/nccf/com/{path}"
    assert idx_url(url) == f"{url}.idx"


@pytest.mark.parametrize(
    ("model", "url"),
    [
        (
            "gfs",
            "https://noaa-gfs-bdp-pds.s3.amazonaws.com/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006",
        ),
        (
            "hrrr",
            "https://noaa-hrrr-bdp-pds.s3.amazonaws.com/hrrr.20260129/conus/hrrr.t12z.wrfsfcf06.grib2",
        ),
    ],
)
def test_a_mirror_lacks_the_first_part_of_the_path(models, model, url):
    described = models[model]

    assert mirror_url(described.aws_root, described, described.files[0], "2026012912", 6) == url


def test_the_filter_is_asked_in_its_official_form(models):
    file = models["gfs"].files[0]
    levels = ["2 m above ground", "entire atmosphere (considered as a single layer)"]

    url = filter_url(
        NOMADS, file, "2026012912", 24, parameters=["TMP", "PWAT"], levels=levels, box=PNW
    )

    assert url == (
        f"{NOMADS}/cgi-bin/filter_gfs_0p25_1hr.pl?dir=%2Fgfs.20260129%2F12%2Fatmos"
        "&file=gfs.t12z.pgrb2.0p25.f024&var_PWAT=on&var_TMP=on&lev_2_m_above_ground=on"
        "&lev_entire_atmosphere_%5C%28considered_as_a_single_layer%5C%29=on"
        "&subregion=&toplat=49&leftlon=235&rightlon=250&bottomlat=42"
    )


@pytest.mark.parametrize(
    ("level", "name"),
    [
        ("2 m above ground", "2_m_above_ground"),
        ("0.33-1 sigma layer", "0.33-1_sigma_layer"),
        ("180-0 mb above ground", "180-0_mb_above_ground"),
        ("PV=2e-06 (Km^2/kg/s) surface", r"PV=2e-06_\(Km\^2/kg/s\)_surface"),
    ],
)
def test_levels_are_named_as_in_the_filters_form(level, name):
    assert level_name(level) == name


def test_without_a_box_there_are_no_bounds(models):
    file = models["gfs"].files[0]
    url = filter_url(NOMADS, file, "2026012912", 0, parameters=["TMP"], levels=["1 mb"], box=None)

    assert "lon" not in url
    assert "subregion" not in url


@pytest.mark.parametrize(
    ("west", "east", "left", "right"),
    [
        (-125, -110, "235", "250"),
        (-10, 30, "-10", "30"),
        (170, -170, "170", "190"),
        (-180, 180, "-180", "180"),
        (0, 180, "0", "180"),
        (-60, 0, "300", "360"),
        (-125.004, -110.004, "234.99", "250"),
    ],
)
def test_bounds_are_in_the_form_that_wgrib2_takes(west, east, left, right):
    found = dict(bounds(Box(west=west, east=east, south=42, north=49)))

    assert (found["leftlon"], found["rightlon"]) == (left, right)


degrees = st.floats(-180, 180, allow_nan=False)
latitudes = st.tuples(st.floats(-90, 90), st.floats(-90, 90)).filter(lambda ab: ab[0] < ab[1])


@given(degrees, degrees, latitudes)
@example(0.0, -0.005, (0.0, 1.0))
@example(179.999, -179.999, (-90.0, 90.0))
def test_bounds_always_hold_the_box_and_never_run_backwards(west, east, latitude):
    south, north = latitude
    found = {k: float(v) for k, v in bounds(Box(west=west, east=east, south=south, north=north))}
    left, right = found["leftlon"], found["rightlon"]

    assert left <= right <= 360.0
    assert left >= 0 or right >= 0
    assert right - left >= span_deg(west, east) - 1e-6 or right - left >= 359.97
    inset = (west - left) % 360
    assert min(inset, 360 - inset) < 0.011 or right - left >= 359.97
    assert -90 <= found["bottomlat"] <= south
    assert north <= found["toplat"] <= 90


@given(
    st.lists(st.text("ABCXYZ0123456789", min_size=1), min_size=1, unique=True),
    st.lists(st.text("abc 0123()^$*+?[]{}|\\.=%&#/-", min_size=1), min_size=1, unique=True),
)
def test_what_is_asked_can_be_read_back_from_the_url(models, parameters, levels):
    file = models["gfs"].files[0]
    url = filter_url(NOMADS, file, "2026012912", 6, parameters=parameters, levels=levels, box=PNW)

    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)
    names = [name for name, _ in pairs]

    assert {n.removeprefix("var_") for n in names if n.startswith("var_")} == set(parameters)
    assert {n for n in names if n.startswith("lev_")} == {f"lev_{level_name(v)}" for v in levels}
    assert url.isascii()
    assert " " not in url


@pytest.mark.parametrize("template", ["{datum}/x", "{hour:03q}", "{", "{0}", "{date.year}"])
def test_a_bad_template_is_named(template):
    with pytest.raises(BadConfiguration, match="no path template"):
        expand(template, "2026012912", 6)


def test_the_path_names_the_file_on_every_source(models):
    hrrr = models["hrrr"]
    assert file_path(hrrr.files[0], "2026012917", 1).endswith("hrrr.t17z.wrfsfcf01.grib2")
