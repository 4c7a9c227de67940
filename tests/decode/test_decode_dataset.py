"""The public face: a Dataset in which nothing of the file is lost."""

import numpy as np
import pytest

from render_farm.decode.dataset import open_dataset
from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.grib2 import NotGrib, walk
from tests.decode.gribmint import LAMBERT, LATLON, mint


@pytest.fixture(scope="module")
def gfs(test_data):
    return next(test_data.glob("nomads/**/gfs.t12z.pgrb2.0p25.f006"))


@pytest.fixture(scope="module")
def hrrr(test_data):
    return next(test_data.glob("nomads/**/hrrr.t17z.wrfsfcf06.grib2"))


def test_both_totals_of_the_hrrr_are_there(hrrr):
    dataset = open_dataset(hrrr)

    assert len(dataset.data_vars) == 8
    assert float(dataset.APCP_surface_acc_0_6h.max()) == pytest.approx(24.982, abs=1e-3)
    assert float(dataset.APCP_surface_acc_5_6h.max()) == pytest.approx(10.62, abs=1e-3)


def test_both_pressure_levels_of_the_gfs_are_there(gfs):
    dataset = open_dataset(gfs)

    assert list(dataset.TMP_isobaric.isobaric) == [2, 850]
    assert dataset.TMP_isobaric.sel(isobaric=2).max() < 290
    assert dataset.TMP_isobaric.sel(isobaric=850).max() > 300
    high, low = dataset.TMP_isobaric.to_numpy()
    assert high.max() < 290
    assert low.max() > 300
    assert dataset.UGRD_isobaric.dims == ("isobaric_2", "latitude", "longitude")
    assert dataset.isobaric.attrs["units"] == "hPa"


def test_names_and_units_are_those_of_cf(hrrr, gfs):
    total = open_dataset(hrrr).APCP_surface_acc_0_6h.attrs
    assert total["units"] == "kg m-2"
    assert total["standard_name"] == "precipitation_amount"
    assert total["cell_methods"] == "time: sum (interval: 6 hours)"
    assert total["grib_key"] == "APCP:surface:0-6 hour acc fcst"
    assert total["valid_time"] == "2026-01-29T23:00:00Z"
    dataset = open_dataset(gfs)
    assert dataset.attrs["Conventions"].startswith("CF-")
    assert dataset.latitude.attrs["units"] == "degrees_north"
    assert dataset.UGRD_isobaric.attrs["standard_name"] == "eastward_wind"
    assert dataset.time == np.datetime64("2026-01-29T18:00")
    assert dataset.forecast_reference_time == np.datetime64("2026-01-29T12:00")


def test_winds_along_the_grid_are_not_called_eastward(tmp_path):
    path = tmp_path / "wind.grib2"
    path.write_bytes(mint(LAMBERT, parameterCategory=2, parameterNumber=2))
    attributes = open_dataset(path).UGRD_height_above_ground.attrs
    assert attributes["standard_name"] == "x_wind"
    assert attributes["wind_axes"] == "grid"


def test_a_projected_grid_has_coordinates_in_metres_and_a_mapping(hrrr):
    dataset = open_dataset(hrrr)

    assert dataset.REFC_entire_atmosphere.dims == ("y", "x")
    assert dataset.crs.attrs["grid_mapping_name"] == "lambert_conformal_conic"
    assert dataset.REFC_entire_atmosphere.attrs["grid_mapping"] == "crs"
    assert (np.diff(dataset.y) < 0).all()
    assert float(dataset.latitude[-1, 0]) == pytest.approx(21.138123, abs=1e-5)
    assert float(dataset.longitude[-1, 0]) == pytest.approx(237.280472 - 360, abs=1e-5)


def test_every_message_of_the_old_global_file_is_there_once(test_data):
    (path,) = test_data.glob("gfs-2p5/*.grib2")
    dataset = open_dataset(path)

    levels = sum(
        variable.shape[0] if variable.ndim == 3 else 1 for variable in dataset.data_vars.values()
    )
    assert levels == 344
    with path.open("rb") as file:
        texts = {head.text for head in walk(file)}
    named = {text for v in dataset.data_vars.values() for text in v.attrs["grib_key"].split("; ")}
    assert named == texts


def test_nothing_is_written_beside_the_file(tmp_path):
    path = tmp_path / "one.grib2"
    path.write_bytes(mint(LATLON))
    open_dataset(path).load()
    assert [entry.name for entry in tmp_path.iterdir()] == ["one.grib2"]


def test_keys_choose_and_an_absent_one_is_named(gfs):
    metres = MessageKey("TMP", "2 m above ground", 6, 6, Statistic.INSTANT)
    dataset = open_dataset(gfs, [metres])
    assert list(dataset.data_vars) == ["TMP_height_above_ground"]
    with pytest.raises(KeyError, match="TMP:2 m above ground:anl"):
        open_dataset(gfs, [MessageKey("TMP", "2 m above ground", 0, 0, Statistic.INSTANT)])


def test_repeated_messages_other_hours_and_other_grids_all_stay(tmp_path):
    path = tmp_path / "mixed.grib2"
    path.write_bytes(
        mint(LATLON) * 2
        + mint(LATLON, forecastTime=12)
        + mint(LAMBERT)
        + mint(LATLON, scaledValueOfFirstFixedSurface=10)
        + mint(LATLON, typeOfFirstFixedSurface=1, forecastTime=12)
        + mint(LATLON, parameterNumber=0, indicatorOfUnitOfTimeRange=3)
    )
    dataset = open_dataset(path)

    shapes = {name: variable.shape for name, variable in dataset.data_vars.items()}
    assert sum(shape[0] if len(shape) == 3 else 1 for shape in shapes.values()) == 7
    assert shapes["TMP_height_above_ground"] == (2, 21, 31)
    assert {"y_2", "x_2", "crs_2"} <= set(dataset.variables)
    assert "time" not in dataset.coords
    valid = {v.attrs.get("valid_time") for v in dataset.data_vars.values()}
    assert valid == {"2026-01-29T18:00:00Z", "2026-01-30T00:00:00Z", None}


def test_values_are_decoded_when_they_are_asked_for(tmp_path):
    path = tmp_path / "one.grib2"
    values = 250 + np.arange(31 * 21) / 10
    path.write_bytes(mint(LATLON, values))
    dataset = open_dataset(path)

    corner = dataset.TMP_height_above_ground.isel(latitude=slice(0, 2), longitude=[0, 30])

    np.testing.assert_allclose(corner[0], values.reshape(21, 31)[:2][:, [0, 30]], atol=1e-3)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        dataset.load()


def test_what_is_not_grib_is_an_error(tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(b"<html>")
    with pytest.raises(NotGrib):
        open_dataset(path)
