"""What the disk does to downloads: real errors of the kernel, and every one an error of ours."""

import asyncio
import os
import resource
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.fetch.conftest import PNW
from tests.fetch.fakes.keeping import put
from tests.fetch.fakes.messages import CUT_OUT, CYCLE, PRMSL, T2M, T850, file_of, message
from tests.fetch.fakes.nomads import chunked
from twf_async.fetch.cache import Cache
from twf_async.fetch.errors import DiskFailed, DiskUnusable, NoSpace
from twf_async.fetch.part import open_part

FULL = "/dev/full"  # writing to it fails as on a full disk
SPOILT = "/proc/self/mem"  # reading its beginning fails as on a broken disk
GFS = "/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"


@pytest.fixture
async def cache(tmp_path):
    made = Cache(tmp_path / "cache")
    await made.start()
    return made


@pytest.fixture
def publish(nomads):
    content, idx = file_of(T2M, PRMSL)
    nomads.files = {GFS: content, f"{GFS}.idx": idx.encode()}
    nomads.filtered = lambda _: message(T2M, grid=CUT_OUT)


@contextmanager
def limited(kind, soft):
    before, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (before, hard))


def own(path, ending):
    return path.with_name(f"{path.name}.{os.getpid()}{ending}")


def names_below(root):
    return sorted(path.name for path in root.rglob("*") if not path.is_dir())


async def found(cache, *keys):
    records, _ = await cache.find("gfs", CYCLE, 6, frozenset(keys), PNW)
    return [record.keys for record in records]


async def test_a_disk_that_is_full_ends_a_download(tmp_path):
    target = tmp_path / "f006.aa.grib2"
    own(target, ".part").symlink_to(FULL)

    with pytest.raises(NoSpace, match="No space left"):
        async with open_part(target) as part:
            await part.write(bytes(2 << 20))

    assert names_below(tmp_path) == []


async def test_no_byte_is_lost_where_the_disk_takes_only_some(tmp_path):
    """The system writes up to the limit and says so; only the write after that fails."""
    with limited(resource.RLIMIT_FSIZE, (1 << 20) + 5000), pytest.raises(DiskFailed):
        async with open_part(tmp_path / "f006.aa.grib2") as part:
            for _ in range(8):
                await part.write(bytes(300_000))
            await part.flush()

    assert names_below(tmp_path) == []


async def test_a_cancelled_write_is_counted_so_that_a_range_goes_on_where_the_file_ends(tmp_path):
    target = tmp_path / "f006.aa.grib2"
    os.mkfifo(own(target, ".part"))
    begun, go, received = threading.Event(), threading.Event(), []

    def read_slowly():
        with own(target, ".part").open("rb", buffering=0) as stream:
            received.append(stream.read(1))
            begun.set()
            go.wait(60)
            while chunk := stream.read(1 << 20):
                received.append(chunk)

    reader = threading.Thread(target=read_slowly)
    reader.start()
    async with open_part(target) as part:
        writing = asyncio.create_task(part.write(bytes(2 << 20)))
        assert await asyncio.to_thread(begun.wait, 30)
        writing.cancel()
        await asyncio.sleep(0)
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await writing
        size = part.size
    await asyncio.to_thread(reader.join, 30)

    assert size == 2 << 20 == sum(map(len, received))


async def test_a_full_disk_costs_no_file_that_was_there(cache):
    path = await put(cache, T2M, question="the same")
    own(path.with_suffix(".json"), ".tmp").symlink_to(FULL)

    with pytest.raises(NoSpace):
        await put(cache, T850, question="the same")

    assert await found(cache, T2M, T850) == [(T2M,)]
    own(path, ".part").unlink()  # whoever downloads does so
    assert names_below(path.parent) == [path.name, path.with_suffix(".json").name]


async def test_a_record_that_cannot_take_its_place_leaves_no_half(cache):
    path = cache.target("gfs", CYCLE, 6, "the same")
    (path.with_suffix(".json") / "in the way").mkdir(parents=True)

    with pytest.raises(DiskFailed):
        await put(cache, T2M, question="the same")

    own(path, ".part").unlink()
    assert names_below(path.parent) == []


async def test_a_cache_that_is_no_directory_is_named(publish, nomads, gfs, running, want, tmp_path):
    async with running(nomads.url) as fetcher:
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache" / "gfs").write_text("a file")
        with pytest.raises(DiskUnusable, match="cache/gfs/2026012912") as failure:
            await fetcher.hour(want(gfs, T2M))

    assert failure.value.retry_after_s


async def test_a_cache_that_is_deleted_meanwhile_is_made_again(
    publish, nomads, gfs, running, want, tmp_path
):
    def delete_and_answer(_):
        shutil.rmtree(tmp_path / "cache")
        return chunked(message(T2M, grid=CUT_OUT))

    nomads.script = [("/cgi-bin/", delete_and_answer)]
    async with running(nomads.url) as fetcher:
        with pytest.raises(DiskFailed):
            await fetcher.hour(want(gfs, T2M))
        fetched = await fetcher.hour(want(gfs, T2M))

    ((path, _),) = fetched.files
    assert Path(path).name in names_below(tmp_path / "cache")


async def test_a_record_on_a_broken_sector_is_given_up_with_its_file(cache):
    path = await put(cache, T2M)
    path.with_suffix(".json").unlink()
    path.with_suffix(".json").symlink_to(SPOILT)

    with capture_logs() as logs:
        assert await found(cache, T2M) == []

    assert [line["event"] for line in logs] == ["fetch.file_discarded"]
    assert names_below(path.parent) == []


async def test_too_many_open_files_are_no_fault_of_the_cache(cache):
    path = await put(cache, T2M)
    unused = os.dup(0)
    os.close(unused)
    with (
        limited(resource.RLIMIT_NOFILE, unused),
        pytest.raises(DiskFailed, match="Too many open") as failure,
    ):
        await found(Cache(path.parents[2]), T2M)

    assert not isinstance(failure.value, DiskUnusable)
    assert await found(Cache(path.parents[2]), T2M) == [(T2M,)]


async def test_a_start_goes_on_past_what_cannot_be_removed_and_whatever_the_clock_says(cache):
    good = await put(cache, T2M)
    (good.parent / "f006.aa.grib2.part").mkdir()
    of_the_future = good.parent / "f006.bb.grib2"
    of_the_future.write_bytes(b"GRIB")
    os.utime(of_the_future, (4e9, 4e9))

    await Cache(good.parents[2]).start()

    assert names_below(good.parent) == [good.name, good.with_suffix(".json").name]
    assert await found(cache, T2M) == [(T2M,)]


async def test_a_record_with_lists_for_names_is_given_up(cache):
    path = await put(cache, T2M)
    sidecar = path.with_suffix(".json")
    sidecar.write_text(sidecar.read_text().replace('"TMP"', '["TMP"]'))

    assert await found(cache, T2M) == []
    assert not path.exists()


@pytest.mark.parametrize("name", ["f006.aa.grib2.1.part", "f006.aa.json.1.tmp"])
async def test_a_start_leaves_alone_what_a_process_that_runs_is_writing(cache, name):
    path = (await put(cache, T2M)).parent / name  # process 1 always runs
    path.write_bytes(b"GRIB")
    os.utime(path, (0, 0))

    await Cache(path.parents[2]).start()

    assert path.exists()
