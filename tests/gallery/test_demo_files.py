"""Files of the synthetic atmosphere hold what was ordered, as the service would have fetched it."""

from datetime import UTC, datetime

import pytest

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.grib2 import walk
from twf_async.replica.demo_files import FileOrder, write_files
from twf_async.replica.tree import CropBox

CYCLE = datetime(2026, 1, 27, 12, tzinfo=UTC)
GFS = "gfs/prod/gfs.20260127/12/atmos/gfs.t12z.pgrb2.0p25.f006"
T2M = MessageKey("TMP", "2 m above ground", 6, 6, Statistic.INSTANT)
RAIN = MessageKey("APCP", "surface", 0, 6, Statistic.ACCUMULATION)
NOBODYS = MessageKey("TMP", "1 mb", 6, 6, Statistic.INSTANT)
BOX = CropBox.of(left=-126, right=-110, bottom=41, top=50)


@pytest.fixture
def heads(tmp_path):
    def written(path, keys, box=BOX):
        target = tmp_path / "out" / "file.grib2"
        write_files(CYCLE, tmp_path / "cache", [FileOrder(path, frozenset(keys), box, target)])
        if not target.exists():
            return None
        with target.open("rb") as stream:
            return list(walk(stream))

    return written


def test_exactly_the_messages_that_were_ordered(heads):
    found = heads(GFS, {T2M, RAIN, NOBODYS})

    assert {head.key for head in found} == {T2M, RAIN}
    assert {head.cycle for head in found} == {"2026012712"}


def test_a_box_cuts_the_grid_and_none_leaves_it_whole(heads):
    (cut,) = heads(GFS, {T2M})
    (whole,) = heads(GFS, {T2M}, box=None)

    assert cut.grid.points == 65 * 37
    assert whole.grid.points == 1440 * 721


def test_a_file_without_any_of_them_is_not_written(heads):
    assert heads(GFS, {NOBODYS}) is None
    assert heads(GFS.replace("f006", "f007x"), {T2M}) is None
