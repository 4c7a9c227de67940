"""A file that is damaged where it lies: one fresh download shows it, and that is remembered."""

import json
import shutil

import pytest

from render_farm.domain.grib2 import walk
from twf_async.fetch.distrust import SAME_BYTES

CYCLE = "2026012917"
RANGES = '[{ path = "hrrr/prod/hrrr.{date}/conus/hrrr.t{cc}z.wrfsfcf{hour:02d}.grib2" }]'
RUN = ("run", "--model", "hrrr", "--cycle", CYCLE, "--hours", "1", "--json")


@pytest.fixture
def replica_root(test_data, tmp_path):
    """The real files, one bit of a temperature changed."""
    root = tmp_path / "nomads"
    shutil.copytree(test_data / "nomads", root, copy_function=shutil.copyfile)
    (path,) = root.glob("**/*wrfsfcf01.grib2")
    with path.open("rb") as stream:
        head = next(h for h in walk(stream) if h.text.startswith("TMP:2 m"))
    path.chmod(0o644)
    body = bytearray(path.read_bytes())
    body[head.offset + head.length // 2] ^= 0x40
    path.write_bytes(body)
    return root


def test_frames_of_a_field_that_is_bad_at_its_source_fail_after_one_more_look(rehearsal):
    asked = ("--products", "t2m,refc", "--regions", "pnw")
    first = rehearsal(*RUN, *asked, TWF_MODELS__HRRR__FILES=RANGES)

    (missing,) = json.loads(first.out)["missing"]
    assert first.code == 3, first.err
    assert (missing["product"], missing["reason"]) == ("t2m", "bad data")
    assert SAME_BYTES in missing["detail"]
    assert set(rehearsal.published("hrrr", CYCLE)) == {("refc", "f001")}
    assert [line["method"] for line in first.log if line["event"] == "fetch.finished"] == [
        "RANGES",
        "RANGES",
    ]

    again = rehearsal(*RUN, *asked, TWF_MODELS__HRRR__FILES=RANGES)

    (missing,) = json.loads(again.out)["missing"]
    assert SAME_BYTES in missing["detail"]
    assert [line["method"] for line in again.log if line["event"] == "fetch.finished"] == ["CACHED"]
