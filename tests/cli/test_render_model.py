"""A map says of which model it is: files are drawn as those of another only where none can tell."""

import pytest

from tests.cli.test_faults import CONFIG, call  # noqa: F401 - a fixture
from tests.integration.test_render_command import GFS, HRRR

ASKED = ("--product", "t2m", "--region", "pnw")


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
