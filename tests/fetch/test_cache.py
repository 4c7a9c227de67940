import contextlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from render_farm.domain.places import Box
from tests.fetch.fakes.keeping import put
from tests.fetch.fakes.messages import CYCLE, PRMSL, T2M, T850, message
from twf_async.fetch.cache import Cache
from twf_async.fetch.record import BadRecord, Record, covers

PNW = Box(west=-126, east=-109, south=41, north=50)
WIDE = Box(west=-135, east=-100, south=30, north=55)


@pytest.fixture
async def cache(tmp_path):
    made = Cache(tmp_path)
    await made.start()
    return made


def a_dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def keep_files_until_killed(root, kept):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fetch.fakes.keeping", str(root)], stdout=subprocess.PIPE
    )
    for _ in range(kept):
        assert process.stdout.readline() == b"kept\n"
    process.kill()
    process.wait()
    process.stdout.close()


def content_of(record):
    return Path(record.path).read_bytes()


async def find(cache, *keys, box=PNW):
    records, left = await cache.find("gfs", CYCLE, 6, frozenset(keys), box)
    return [record.path for record in records], left


async def test_what_is_kept_is_found_also_by_the_next_process(cache, tmp_path):
    path = await put(cache, T2M, box=PNW)

    for one in (cache, Cache(tmp_path)):
        await one.start()
        assert await find(one, T2M) == ([str(path)], frozenset())


async def test_more_fields_and_a_larger_box_serve_less(cache):
    path = await put(cache, T2M, T850, PRMSL, box=WIDE)

    assert await find(cache, T2M, PRMSL) == ([str(path)], frozenset())


async def test_a_smaller_box_serves_nothing(cache):
    await put(cache, T2M, box=PNW)

    assert await find(cache, T2M, box=WIDE) == ([], {T2M})


async def test_only_fields_that_are_not_there_are_left_to_fetch(cache):
    path = await put(cache, T2M)

    assert await find(cache, T2M, T850) == ([str(path)], {T850})


async def test_one_file_with_everything_beats_two(cache):
    await put(cache, T2M, box=PNW)
    await put(cache, T850, box=PNW)
    both = await put(cache, T2M, T850, box=PNW)

    assert await find(cache, T2M, T850) == ([str(both)], frozenset())


async def test_the_same_box_is_preferred_to_a_larger_one(cache):
    await put(cache, T2M, box=WIDE)
    same = await put(cache, T2M, box=PNW)
    await put(cache, T2M)

    assert (await find(cache, T2M))[0] == [str(same)]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes()[:-9] + b"x" + path.read_bytes()[-8:]),
        lambda path: path.write_bytes(b""),
        lambda path: path.with_suffix(".json").write_text("{"),
        lambda path: path.with_suffix(".json").write_text('{"version": 99}'),
        lambda path: path.with_suffix(".json").write_text("[]"),
    ],
    ids=["shorter", "one byte differs", "empty", "cut record", "other version", "other document"],
)
async def test_a_spoilt_file_is_never_taken_and_goes_away(spoil, cache, tmp_path):
    path = await put(cache, T2M)
    spoil(path)
    restarted = Cache(tmp_path)

    with capture_logs() as logs:
        assert await find(restarted, T2M) == ([], {T2M})

    assert [line["event"] for line in logs] == ["fetch.file_discarded"]
    assert not path.exists()
    assert not path.with_suffix(".json").exists()


async def test_a_file_that_upkeep_removed_is_not_taken(cache):
    path = await put(cache, T2M)
    path.unlink()

    assert await find(cache, T2M) == ([], {T2M})


async def test_a_start_removes_what_a_kill_left_behind(cache, tmp_path):
    good = await put(cache, T2M)
    folder = good.parent
    dead = a_dead_pid()
    rubbish = [
        folder / f"f006.aa.grib2.{dead}.part",
        folder / f"f006.aa.json.{dead}.tmp",
        folder / "f006.bb.grib2",
        folder / "f006.cc.json",
    ]
    in_use = folder / "f006.dd.grib2.1.part"  # process 1 always runs
    for path in (*rubbish, in_use):
        path.write_bytes(b"GRIB")
        os.utime(path, (0, 0))

    with capture_logs() as logs:
        await Cache(tmp_path).start()

    assert {p.name for p in folder.iterdir()} == {
        good.name, good.with_suffix(".json").name, in_use.name,
    }  # fmt: skip
    assert (logs[0]["event"], logs[0]["files"]) == ("fetch.leftovers_removed", 4)


async def test_a_file_between_its_two_renames_is_left_to_its_owner(cache, tmp_path):
    good = await put(cache, T2M)
    good.with_suffix(".json").unlink()

    await Cache(tmp_path).start()

    assert good.exists()
    assert await find(cache, T2M) == ([], {T2M})


async def test_killed_at_any_moment_it_leaves_nothing_bad_that_is_taken(tmp_path):
    for kept in (1, 2, 3, 5, 8, 13):
        keep_files_until_killed(tmp_path, kept)

        cache = Cache(tmp_path)
        await cache.start()
        with capture_logs() as logs:
            records, _ = await cache.find("gfs", CYCLE, 6, frozenset({T2M, T850, PRMSL}), PNW)
        assert logs == []
        for record in records:
            content = b"".join(message(key) for key in record.keys)
            assert content_of(record) == content


@given(
    st.floats(-180, 180), st.floats(1, 359), st.floats(0, 1), st.floats(0, 1),
    st.floats(-80, 0), st.floats(1, 80),
)  # fmt: skip
def test_a_box_within_another_is_covered_wherever_the_date_line_runs(
    west, width, begin, share, south, north
):
    def at(longitude):
        return (longitude + 180) % 360 - 180

    held = Box(west=west, east=at(west + width), south=south, north=north)
    inner_west = west + begin * width
    inner_width = share * (width - begin * width)
    inner = Box(west=at(inner_west), east=at(inner_west + inner_width), south=south, north=north)

    assert covers(held, inner) or inner.west == inner.east
    assert covers(None, inner)
    assert covers(held, held)


def test_a_box_that_sticks_out_is_not_covered():
    assert not covers(PNW, PNW.model_copy(update={"west": -127.0}))
    assert not covers(PNW, PNW.model_copy(update={"east": -100.0}))
    assert not covers(PNW, PNW.model_copy(update={"north": 51.0}))
    assert not covers(PNW, PNW.model_copy(update={"south": 40.0}))
    assert not covers(
        Box(west=170, east=-170, south=0, north=1), Box(west=-169, east=170, south=0, north=1)
    )
    assert covers(Box(west=-180, east=180, south=0, north=1), PNW.model_copy(
        update={"south": 0.0, "north": 1.0}
    ))  # fmt: skip


@given(st.binary(max_size=200))
def test_any_sidecar_gives_a_record_or_a_typed_error(content):
    with contextlib.suppress(BadRecord):
        Record.from_json(content)


async def test_a_record_survives_being_written(cache):
    path = await put(cache, T2M, T850, box=PNW)

    record = Record.from_json(path.with_suffix(".json").read_bytes())

    assert (
        replace(record, path=str(path))
        == (await cache.find("gfs", CYCLE, 6, frozenset({T2M}), PNW))[0][0]
    )


async def test_of_files_that_upkeep_deleted_nothing_is_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr("twf_async.fetch.proofs._FILES_REMEMBERED", 8)
    cache = Cache(tmp_path)
    kept = {str(await put(cache, PRMSL, hour=hour)) for hour in range(12)}
    for hour in range(100, 150):
        path = await put(cache, T2M, hour=hour)
        path.unlink()

    assert kept < cache._proofs._proven.keys()
    assert len(cache._proofs._proven) <= 2 * len(kept) + 1
