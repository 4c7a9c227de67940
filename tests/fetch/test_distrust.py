"""Downloads whose values cannot be: thrown away within bounds that outlive the process."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.fetch.fakes.keeping import put
from tests.fetch.fakes.messages import CYCLE, PRMSL, T2M, T850
from twf_async.fetch.cache import Cache
from twf_async.fetch.distrust import MOST, OFTEN_ENOUGH, SAME_BYTES, Complaints, Distrusted


@pytest.fixture
async def cache(tmp_path):
    made = Cache(tmp_path)
    await made.start()
    return made


async def complain(cache, *keys, hour=6):
    return await cache.distrust("gfs", CYCLE, hour, frozenset(keys))


async def test_exactly_the_files_with_the_fields_go_and_the_log_says_why(cache):
    surface, pressure = await put(cache, T2M, PRMSL), await put(cache, T850)

    with capture_logs() as log:
        told = await complain(cache, PRMSL)

    assert told.pause_s is not None
    assert (surface.exists(), pressure.exists()) == (False, True)
    assert [(line["event"], line["reason"]) for line in log] == [
        ("fetch.file_discarded", "bad values")
    ]
    assert {r.path for r in await cache.of_run("gfs", CYCLE)} == {str(pressure)}


async def test_the_same_bytes_again_are_kept_for_no_others_will_come(cache, tmp_path):
    await put(cache, T2M)
    await complain(cache, T2M)
    path = await put(cache, T2M)

    for one in (cache, Cache(tmp_path)):
        assert await complain(one, T2M) == Distrusted(None, SAME_BYTES)
        assert path.exists()


async def test_other_bytes_are_thrown_away_so_often_and_each_time_after_a_longer_pause(cache):
    pauses = []
    for attempt in range(MOST):
        await put(cache, T2M, payload=bytes([attempt]))
        pauses.append((await complain(cache, T2M)).pause_s)
    path = await put(cache, T2M, payload=bytes([MOST]))

    assert pauses == sorted(pauses)
    assert await complain(cache, T2M) == Distrusted(None, OFTEN_ENOUGH)
    assert path.exists()


async def test_a_file_that_is_gone_already_counts_for_nothing(cache):
    for _ in range(MOST + 2):
        assert await complain(cache, T2M) == Distrusted(0.0)

    await put(cache, T2M)
    assert (await complain(cache, T2M)).pause_s


async def test_hours_are_counted_each_by_itself(cache):
    for hour in (6, 12):
        path = await put(cache, T2M, hour=hour)
        assert (await complain(cache, T2M, hour=hour)).pause_s is not None
        assert not path.exists()


@pytest.mark.parametrize("noted", [b"", b"{}", b"[1]", b'{"times": "x"}', b"\\xff"])
def test_notes_that_cannot_be_read_are_none(tmp_path, noted):
    path = tmp_path / "f006.distrust"
    path.write_bytes(noted)

    assert Complaints.read(path) == Complaints(0, frozenset())
    assert Complaints.read(Path(tmp_path / "nothing")) == Complaints(0, frozenset())
