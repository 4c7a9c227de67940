"""What the tree serves is what NOMADS would: names, idx, grids, keys, packing."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise

import eccodes
import numpy as np
import pyproj
import pytest

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.grib2 import walk
from twf_async.plan.idx import parse_idx
from twf_async.replica.atmosphere.grids import HRRR_CONUS, QUARTER_DEGREE
from twf_async.replica.tree import COM

GFS = f"{COM}/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f{{:03d}}"
HRRR = f"{COM}/hrrr/prod/hrrr.20260129/conus/hrrr.t18z.wrfsfcf{{:02d}}.grib2"
SFC = f"{COM}/aigfs/prod/aigfs.20260129/12/model/atmos/grib2/aigfs.t12z.sfc.f{{:03d}}.grib2"
PRES = f"{COM}/aigfs/prod/aigfs.20260129/12/model/atmos/grib2/aigfs.t12z.pres.f{{:03d}}.grib2"


def idx_of(tree, path):
    return b"".join(tree.open_range(f"{path}.idx", 0, 1 << 20)).decode()


def message_of(tree, path, text):
    for message in tree.messages(path):
        if f"{message.parameter}:{message.level}:{message.forecast}" == text:
            return message
    raise AssertionError(f"{text} is not in {path}")


def read(tree, path, text):
    message = message_of(tree, path, text)
    return b"".join(tree.open_range(path, message.offset, message.offset + message.length))


def decode(data, *keys):
    handle = eccodes.codes_new_from_message(data)
    try:
        values = eccodes.codes_get_values(handle)
        return values, {key: eccodes.codes_get(handle, key) for key in keys}
    finally:
        eccodes.codes_release(handle)


def test_directories_lead_to_the_files(tree):
    def names(path):
        return {entry.name for entry in tree.listdir(path)}

    assert names("/pub/data/nccf") == {"com"}
    assert names(COM) == {"gfs", "aigfs", "hrrr"}
    assert "gfs.20260129" in names(f"{COM}/gfs/prod")
    assert names(f"{COM}/gfs/prod/gfs.20260129") == {"00", "06", "12", "18"}
    files = names(f"{COM}/gfs/prod/gfs.20260129/12/atmos")
    assert len(files) == 2 * 209
    assert {"gfs.t12z.pgrb2.0p25.f384", "gfs.t12z.pgrb2.0p25.f001.idx"} <= files
    hours = {name for name in names(f"{COM}/hrrr/prod/hrrr.20260129/conus") if "t18z" in name}
    assert len(hours) == 2 * 49
    assert len(names(PRES.rpartition("/")[0])) == 4 * 65
    assert tree.listdir(f"{COM}/nam") is None
    assert tree.listdir(GFS.format(0)) is None


@pytest.mark.parametrize(
    "path",
    [
        GFS.format(121),  # three-hourly after f120
        GFS.replace("20260129", "20260131").format(0),  # not begun
        GFS.replace("20260129", "20260122").format(0),  # too old
        GFS.replace("t12z", "t06z").format(0),  # another cycle's directory
        GFS.replace("20260129", "20261329").format(0),
        HRRR.replace("t18z", "t17z").format(19),  # ordinary cycles end at f18
        SFC.format(3),
    ],
)
def test_what_no_model_has_is_not_there(tree, path):
    assert tree.stat(path) is None
    assert tree.messages(path) is None
    with pytest.raises(FileNotFoundError):
        list(tree.open_range(path, 0, 1))


@pytest.mark.parametrize("path", [GFS.format(0), GFS.format(24), HRRR.format(6), SFC.format(6)])
def test_inventories_agree_with_the_files_sizes(tree, path):
    text = idx_of(tree, path)
    assert tree.stat(f"{path}.idx").size == len(text)
    lines = parse_idx(text)
    messages = tree.messages(path)
    assert [line.offset for line in lines] == [message.offset for message in messages]
    assert all(a.offset + a.length == b.offset for a, b in pairwise(messages))
    assert messages[-1].offset + messages[-1].length == tree.stat(path).size
    assert all(line.key == message.key for line, message in zip(lines, messages, strict=True))
    assert text.endswith(":\n")


def test_inventories_have_the_words_of_wgrib2(tree):
    at_start, first, day = (idx_of(tree, GFS.format(hour)) for hour in (0, 6, 24))
    assert ":d=2026012912:TMP:2 m above ground:anl:\n" in at_start
    assert "APCP" not in at_start
    assert " ave " not in at_start
    assert first.count(":APCP:surface:0-6 hour acc fcst:\n") == 2
    assert ":APCP:surface:18-24 hour acc fcst:\n" in day
    assert ":APCP:surface:0-1 day acc fcst:\n" in day
    assert ":CSNOW:surface:24 hour fcst:\n" in day
    assert ":CSNOW:surface:18-24 hour ave fcst:\n" in day
    assert ":APCP:surface:6-9 hour acc fcst:\n" in idx_of(tree, GFS.format(9))
    assert idx_of(tree, HRRR.format(1)).count(":APCP:surface:0-1 hour acc fcst:\n") == 1
    assert ":APCP:surface:0-0 day acc fcst:\n" in idx_of(tree, HRRR.format(0))
    assert ":APCP:surface:5-6 hour acc fcst:\n" in idx_of(tree, HRRR.format(6))
    assert len(tree.messages(SFC.format(0))) == 4
    assert len(tree.messages(SFC.format(6))) == 6
    assert len(tree.messages(PRES.format(6))) == 78


def test_every_inventory_line_is_in_the_real_file_in_that_order(tree, test_data):
    pairs = [
        (GFS.format(0), "gfs.t12z.pgrb2.0p25.f000.idx"),
        (GFS.format(24), "gfs.t12z.pgrb2.0p25.f024.idx"),
        (HRRR.format(1), "hrrr.t17z.wrfsfcf01.grib2.idx"),
        (HRRR.format(6), "hrrr.t17z.wrfsfcf06.grib2.idx"),
    ]
    for path, real in pairs:
        lines = (test_data / "idx" / real).read_text().splitlines()
        known = [":".join(line.split(":")[3:6]) for line in lines]
        ours = [":".join(line.split(":")[3:6]) for line in idx_of(tree, path).splitlines()]
        places = [known.index(line) for line in ours]
        assert places == sorted(places), real


def test_a_static_message_is_a_real_one(tree):
    data = read(tree, SFC.format(12), "TMP:2 m above ground:12 hour fcst")
    values, keys = decode(
        data, "packingType", "centre", "Ni", "Nj", "dataDate", "dataTime", "stepRange",
        "latitudeOfFirstGridPointInDegrees", "longitudeOfLastGridPointInDegrees",
        "latitudeOfLastGridPointInDegrees", "shortName", "level", "jScansPositively",
    )  # fmt: skip
    assert keys["packingType"] == "grid_complex_spatial_differencing"
    assert (keys["centre"], keys["Ni"], keys["Nj"]) == ("kwbc", 1440, 721)
    assert (keys["dataDate"], keys["dataTime"], keys["stepRange"]) == (20260129, 1200, "12")
    assert keys["latitudeOfFirstGridPointInDegrees"] == 90.0
    assert keys["latitudeOfLastGridPointInDegrees"] == -90.0
    assert keys["longitudeOfLastGridPointInDegrees"] == 359.75
    assert (keys["shortName"], keys["level"], keys["jScansPositively"]) == ("2t", 2, 0)
    field = values.reshape(721, 1440)
    assert field[360].mean() > 290
    assert field[:40].mean() < 270
    (head,) = walk(io.BytesIO(data))
    assert head.text == "TMP:2 m above ground:12 hour fcst"


def test_a_total_over_the_first_day_is_coded_in_hours(tree):
    _, keys = decode(
        read(tree, SFC.format(24), "APCP:surface:0-1 day acc fcst"),
        "stepRange", "typeOfStatisticalProcessing", "productDefinitionTemplateNumber",
        "lengthOfTimeRange", "indicatorOfUnitForTimeRange", "validityDate", "validityTime",
    )  # fmt: skip
    assert keys["stepRange"] == "0-24"
    assert (keys["typeOfStatisticalProcessing"], keys["productDefinitionTemplateNumber"]) == (1, 8)
    assert (keys["lengthOfTimeRange"], keys["indicatorOfUnitForTimeRange"]) == (24, 1)
    assert (keys["validityDate"], keys["validityTime"]) == (20260130, 1200)


@pytest.mark.parametrize(
    ("path", "stem"),
    [(GFS.format(6), "gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006")],
)
def test_sections_are_those_of_real_messages_octet_by_octet(tree, test_data, path, stem, models):
    real = (test_data / "nomads" / COM.lstrip("/") / stem).read_bytes()
    for head in walk(io.BytesIO(real)):
        if head.text.startswith("TMP:2 mb"):
            continue
        message = message_of(tree, path, head.text)
        ours = next(tree.cropped(path, [message], _everywhere()))
        assert sections(ours)[1] == sections(real[head.offset :])[1]
        assert sections(ours)[4] == sections(real[head.offset :])[4]
        break


def test_hrrr_sections_are_those_of_real_messages(test_data, models, cycle):
    from datetime import UTC, datetime

    from twf_async.replica.atmosphere.product import section_1, section_4

    folder = test_data / "nomads" / COM.lstrip("/") / "hrrr/prod/hrrr.20260129/conus"
    real = (folder / "hrrr.t17z.wrfsfcf06.grib2").read_bytes()
    start = datetime(2026, 1, 29, 17, tzinfo=UTC)
    heads = list(walk(io.BytesIO(real)))
    assert len(heads) == 8
    for head in heads:
        found = sections(real[head.offset :])
        assert section_1(start) == found[1]
        assert section_4(models["hrrr"], start, 6, head.key) == found[4]
        assert HRRR_CONUS.section_3 == found[3]


def sections(message):
    found, position = {}, 16
    while message[position : position + 4] != b"7777":
        length = int.from_bytes(message[position : position + 4], "big")
        found[message[position + 4]] = message[position : position + length]
        position += length
    return found


def _everywhere():
    from twf_async.replica.tree import CropBox

    return CropBox.of(left=0, right=1, bottom=0, top=1)


def test_hrrr_starts_with_constant_zeros_of_the_real_size(tree):
    for text, size in (("PRATE:surface:anl", 188), ("APCP:surface:0-0 day acc fcst", 212)):
        data = read(tree, HRRR.format(0), text)
        assert len(data) == size
        values, _ = decode(data)
        assert values.size == 1799 * 1059
        assert not values.any()


def test_the_lambert_grid_lies_where_pyproj_puts_it():
    rows, columns = np.array([[0.0], [500.0], [1058.0]]), np.array([[0.0, 900.0, 1798.0]])
    latitude, longitude = HRRR_CONUS.points(rows, columns)
    assert latitude[0, 0] == pytest.approx(21.138123, abs=1e-6)
    assert longitude[0, 0] == pytest.approx(237.280472, abs=1e-6)
    lcc = pyproj.Proj(proj="lcc", lat_0=38.5, lon_0=262.5, lat_1=38.5, lat_2=38.5, R=6_371_229)
    x0, y0 = lcc(237.280472, 21.138123)
    x, y = lcc(longitude, latitude)
    assert np.abs(x - (x0 + 3000 * columns)).max() < 0.01
    assert np.abs(y - (y0 + 3000 * rows)).max() < 0.01
    scale = pyproj.Proj(lcc.srs).get_factors(250.0, 47.0).meridional_scale
    assert 3000.0 / HRRR_CONUS.spacing(np.array([47.0]))[0][0] == pytest.approx(scale, rel=1e-6)


def test_quarter_degree_points_wrap_around_the_earth():
    latitude, longitude = QUARTER_DEGREE.points(np.array([[0.0], [720.0]]), np.array([[1441.0]]))
    assert latitude.ravel().tolist() == [90.0, -90.0]
    assert longitude.ravel().tolist() == [0.25, 0.25]


def test_cut_outs_hold_the_values_of_the_whole(tree, box):
    path = SFC.format(12)
    for text, step in (
        ("TMP:2 m above ground:12 hour fcst", 0.04),
        ("PRMSL:mean sea level:12 hour fcst", 0.4),
        ("APCP:surface:6-12 hour acc fcst", 0.01),
    ):
        values, _ = decode(read(tree, path, text))
        whole = values.reshape(721, 1440)
        (data,) = tree.cropped(path, [message_of(tree, path, text)], box)
        cut, keys = decode(
            data, "Ni", "Nj", "latitudeOfFirstGridPointInDegrees", "packingType",
            "longitudeOfFirstGridPointInDegrees", "jScansPositively", "binaryScaleFactor",
        )  # fmt: skip
        assert (keys["Ni"], keys["Nj"]) == (65, 37)
        assert keys["packingType"] == "grid_simple"
        assert keys["jScansPositively"] == 1
        assert keys["latitudeOfFirstGridPointInDegrees"] == 41.0
        assert keys["longitudeOfFirstGridPointInDegrees"] == 234.0
        part = whole[160:197, 936:1001][::-1]
        assert np.abs(cut.reshape(37, 65) - part).max() <= 1.01 * step


def test_cut_outs_do_not_depend_on_the_box(tree):
    from twf_async.replica.tree import CropBox

    path = HRRR.format(2)
    wanted = [
        message_of(tree, path, text)
        for text in ("TMP:2 m above ground:2 hour fcst", "APCP:surface:0-2 hour acc fcst",
                     "UGRD:10 m above ground:2 hour fcst", "REFC:entire atmosphere:2 hour fcst")
    ]  # fmt: skip
    large = CropBox.of(left=-123, right=-120, bottom=45, top=47)
    small = CropBox.of(left=-122.5, right=-121, bottom=45.5, top=46.5)
    lcc = pyproj.Proj(proj="lcc", lat_0=38.5, lon_0=262.5, lat_1=38.5, lat_2=38.5, R=6_371_229)
    origin = lcc(237.280472, 21.138123)
    for a, b in zip(tree.cropped(path, wanted, large), tree.cropped(path, wanted, small),
                    strict=True):  # fmt: skip
        fields = []
        for data in (a, b):
            values, keys = decode(
                data, "Nx", "Ny", "latitudeOfFirstGridPointInDegrees",
                "longitudeOfFirstGridPointInDegrees", "uvRelativeToGrid", "gridType",
            )  # fmt: skip
            assert (keys["gridType"], keys["uvRelativeToGrid"]) == ("lambert", 1)
            x, y = lcc(keys["longitudeOfFirstGridPointInDegrees"],
                       keys["latitudeOfFirstGridPointInDegrees"])  # fmt: skip
            at = round((x - origin[0]) / 3000), round((y - origin[1]) / 3000)
            fields.append((values.reshape(keys["Ny"], keys["Nx"]), at))
        (big, (i0, j0)), (little, (i1, j1)) = fields
        same = big[j1 - j0 :, i1 - i0 :][: little.shape[0], : little.shape[1]]
        assert np.abs(same - little).max() <= 0.07


def test_boxes_across_greenwich_are_whole(tree):
    from twf_async.replica.tree import CropBox

    path = GFS.format(6)
    message = message_of(tree, path, "TMP:850 mb:6 hour fcst")
    across = CropBox.of(left=-2, right=2, bottom=50, top=52)
    (data,) = tree.cropped(path, [message], across)
    values, keys = decode(data, "Ni", "Nj", "longitudeOfFirstGridPointInDegrees")
    assert (keys["Ni"], keys["Nj"], keys["longitudeOfFirstGridPointInDegrees"]) == (17, 9, 358.0)
    assert np.abs(np.diff(values.reshape(9, 17), axis=1)).max() < 3.0


def test_every_message_can_be_cut(tree, box):
    """Every line of every kind of file has values, its own key, and its range."""
    for path in (GFS.format(9), GFS.format(0), HRRR.format(2), HRRR.format(0), PRES.format(6)):
        messages = tree.messages(path)
        if "hrrr" in path:
            from twf_async.replica.tree import CropBox

            cut = CropBox.of(left=-122, right=-120, bottom=45, top=46)
        else:
            cut = box
        for message, data in zip(messages, tree.cropped(path, messages, cut), strict=True):
            (head,) = walk(io.BytesIO(data))
            assert head.key == message.key
            values, _ = decode(data)
            assert np.isfinite(values).all()


def test_winds_of_the_lambert_grid_are_relative_to_it(tree, models):
    """The same weather on both grids: HRRR's winds, turned back, are GFS' winds."""
    from twf_async.replica.atmosphere.weather import Weather
    from twf_async.replica.atmosphere.window import window

    cycle = datetime(2026, 1, 29, 12, tzinfo=UTC)
    hrrr, gfs = models["hrrr"], models["gfs"]
    fine = window(hrrr.grid, 650, 150, 80, 100)
    weather = Weather(fine, hrrr.when(cycle, 0), hrrr.flavour)
    u, v = weather.wind(500)
    angle = np.sin(np.radians(38.5)) * np.radians(fine.at.longitude - 262.5)
    east, north = u * np.cos(angle) + v * np.sin(angle), -u * np.sin(angle) + v * np.cos(angle)
    latitude, longitude = float(fine.at.latitude[40, 50]), float(fine.at.longitude[40, 50])
    row, column = round((90 - latitude) * 4), round(longitude * 4)
    coarse = window(gfs.grid, row - 2, column - 2, 5, 5)
    u0, v0 = (p.mean() for p in Weather(coarse, gfs.when(cycle, 0), gfs.flavour).wind(500))
    around = np.s_[20:60, 30:70]
    speed = np.hypot(u0, v0)
    assert np.hypot(east[around].mean() - u0, north[around].mean() - v0) < 0.12 * speed + 1.5


def test_a_wind_is_whole_for_a_second_thread_that_asks_while_the_first_works_on_it(models):
    from twf_async.replica.atmosphere.weather import Weather
    from twf_async.replica.atmosphere.window import window

    gfs = models["gfs"]
    part = window(gfs.grid, 160, 940, 5, 5)
    weather = Weather(part, gfs.when(datetime(2026, 1, 29, 12, tzinfo=UTC), 0), gfs.flavour)
    seen = []

    class Interrupted(dict):
        def __setitem__(self, key, value):
            super().__setitem__(key, value)
            if key == ("u", 700) and not seen:
                seen.append(None)
                with ThreadPoolExecutor(1) as other:
                    seen.append(other.submit(weather.wind, 700).result(60))

    weather._up = Interrupted()
    u, v = weather.wind(700)

    assert np.array_equal(seen[1][0], u)
    assert np.array_equal(seen[1][1], v)


def test_made_messages_are_kept(tree):
    path = SFC.format(0)
    text = "PRMSL:mean sea level:anl"
    first = read(tree, path, text)
    kept = list(tree._store._directory.rglob("*.message"))
    assert first in [place.read_bytes() for place in kept]
    assert not [p for p in tree._store._directory.rglob("*") if p.is_file() and p not in kept]
    assert read(tree, path, text) == first
    message = message_of(tree, path, text)
    middle = b"".join(tree.open_range(path, message.offset + 10, message.offset + 20))
    assert middle == first[10:20]


@pytest.mark.parametrize(
    ("key", "templates"), [("gfs", [GFS]), ("hrrr", [HRRR]), ("aigfs", [SFC, PRES])]
)
def test_inventories_have_what_the_shipped_products_take_at_every_hour(
    tree, config_dir, key, templates
):
    from twf_async.plan.orders import ProductOrder, product_order, products_of
    from twf_async.settings.load import load

    catalog = load(config_dir, {}).catalog
    model = catalog.models[key]
    hours = model.long_hours or model.hours
    have: dict[int, set[MessageKey | None]] = {
        hour: {
            message.key
            for template in templates
            for message in tree.messages(template.format(hour)) or ()
        }
        for hour in hours
    }
    for product in products_of(catalog, model):
        for hour in hours:
            order = product_order(product, model, hour)
            if isinstance(order, ProductOrder):
                lacking = [str(wanted) for at, wanted in order.needs if wanted not in have[at]]
                assert lacking == [], (product.key, hour)


def test_instants_and_windows_are_told_apart(tree):
    keys = [m.key for m in tree.messages(GFS.format(9)) if m.parameter == "CSNOW"]
    assert [key.statistic for key in keys] == [Statistic.INSTANT, Statistic.AVERAGE]
    assert (keys[1].start_h, keys[1].end_h) == (6, 9)
