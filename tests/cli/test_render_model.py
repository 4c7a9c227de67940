"""A map says of which model it is: files are drawn as those of another only where none can tell."""

import pytest

from tests.cli.test_faults import CONFIG, call  # noqa: F401 - a fixture
from tests.integration.test_render_command import GFS, HRRR
from twf_async.app.localjobs import model_of
from twf_async.errors import BadInput
from twf_async.plan.local import LocalFile, model_of_name
from twf_async.settings.load import load

ASKED = ("--product", "t2m", "--region", "pnw")


@pytest.fixture(scope="module")
def settings(config_dir):
    return load(config_dir)


@pytest.mark.parametrize(
    ("files", "named", "sentence"),
    [
        ([f"{GFS}.f006"], ["--model", "hrrr"], "of gfs, not of hrrr; leave --model hrrr out"),
        ([f"{GFS}.f006", "copy"], [], "of hrrr, not of gfs; draw it by itself"),
    ],
)
def test_a_file_whose_name_tells_another_model_is_refused(
    files,
    named,
    sentence,
    call,  # noqa: F811 - that fixture
    test_data,
    tmp_path,
):
    copy = tmp_path / HRRR.rpartition("/")[2]
    copy.symlink_to(test_data / f"{GFS}.f000")  # of the same cycle
    paths = [str(copy if file == "copy" else test_data / file) for file in files]

    code, out, lines = call(
        "render", *paths, *ASKED, "--out", str(tmp_path / "out"), *named, *CONFIG
    )

    assert (code, out) == (2, "")
    assert sentence in lines[-1]


@pytest.mark.parametrize(("file", "named"), [(f"{GFS}.f006", "hrrr"), (HRRR, "gfs")])
def test_a_file_on_the_grid_of_another_model_is_refused_whatever_its_name(
    file,
    named,
    call,  # noqa: F811 - that fixture
    test_data,
    tmp_path,
):
    copy = tmp_path / "mine.grib2"
    copy.symlink_to(test_data / file)

    code, out, lines = call(
        "render", str(copy), *ASKED, "--out", str(tmp_path / "out"), "--model", named, *CONFIG
    )

    assert (code, out) == (2, "")
    assert f"its grid is not that of {named}" in lines[-1]


@pytest.mark.parametrize(
    ("file", "mend"),
    [
        (f"{GFS}.f006", "add --model gfs or --model aigfs, whichever it is of"),
        (HRRR, "add --model hrrr if it is of hrrr, the only one that is on such a grid"),
    ],
)
@pytest.mark.parametrize("beside", [[], [f"{GFS}.f000"]])
def test_a_file_whose_name_tells_no_model_is_refused_with_the_options_that_it_may_need(
    file,
    mend,
    beside,
    call,  # noqa: F811 - that fixture
    test_data,
    tmp_path,
):
    copy = tmp_path / "something.f006.grib2"
    copy.symlink_to(test_data / file)
    paths = [*(str(test_data / name) for name in beside if file != HRRR), str(copy)]

    code, out, (line,) = call("render", *paths, *ASKED, "--out", str(tmp_path / "out"), *CONFIG)

    assert (code, out) == (2, "")
    assert line == f"{copy}: its name does not tell the model; {mend}"
    assert not (tmp_path / "out").exists()


def test_a_file_on_a_grid_of_no_model_is_refused_with_the_models_there_are(settings):
    polar = LocalFile("mine.grib2", "2026012912", frozenset(), frozenset({0, 30}))

    with pytest.raises(BadInput, match=r"its grid is that of none there is \(gfs, aigfs, hrrr\)"):
        model_of(settings, polar)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("gfs.t12z.pgrb2.0p25.f006.grib2", "gfs"),
        ("20260129_gfs.t12z.pgrb2.0p25.f006", "gfs"),
        ("filter_gfs_0p25_1hr.pl?dir=%2Fgfs&file=gfs.t12z.pgrb2.0p25.f006&var_TMP=on", "gfs"),
        ("aigfs.t12z.pres.f006.grib2.1", "aigfs"),
        ("xgfs.t12z.pgrb2.0p25.f006", None),
        ("gfs.t12z.pgrb2.0p25.f006b", None),
        ("hrrr.t17z.wrfsfcf06.ak.grib2", None),
    ],
)
def test_a_name_tells_the_model_whatever_was_added_to_it(name, model, settings):
    found = model_of_name(f"/downloads/{name}", settings.catalog.models.values())

    assert (found and found.key) == model
