"""Pictures: served by the manifest, cached by their hash, `latest` never breaks."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.web.conftest import NEW, OLD, PNG, VGRID, publish
from twf_async import stops
from twf_async.web import answers
from twf_async.web.readers import READERS, THREADS, ReaderThreads


async def test_a_published_frame_is_served_with_a_strong_etag(client):
    answer = await client.get(f"/maps/gfs/{NEW}/pnw/t2m/f000.png")

    assert answer.status == 200
    assert await answer.read() == PNG + b"new 0"
    assert answer.content_type == "image/png"
    assert answer.headers["ETag"].startswith('"')
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_under_its_hash_a_frame_is_immutable(client):
    first = await client.get(f"/maps/gfs/{NEW}/pnw/t2m/f000.png")

    again = await client.get(f"/maps/gfs/{NEW}/pnw/t2m/f000.png?v={first.headers['ETag'][1:-1]}")
    stale = await client.get(f"/maps/gfs/{NEW}/pnw/t2m/f000.png?v=0123456789abcdef")

    assert "immutable" in again.headers["Cache-Control"]
    assert "immutable" not in stale.headers["Cache-Control"]


async def test_who_has_the_frame_gets_304(client):
    first = await client.get(f"/maps/gfs/{NEW}/pnw/t2m/f000.png")

    again = await client.get(
        f"/maps/gfs/{NEW}/pnw/t2m/f000.png", headers={"If-None-Match": first.headers["ETag"]}
    )

    assert (again.status, await again.read()) == (304, b"")


async def test_latest_is_the_newest_run_that_has_this_frame(client, tree):
    six = await client.get("/maps/gfs/latest/pnw/t2m/f006.png", allow_redirects=False)
    assert six.status == 302
    assert f"/maps/gfs/{OLD}/pnw/t2m/f006.png?v=" in six.headers["Location"]
    assert six.headers["Cache-Control"] == "public, max-age=30"  # another may be the newest soon

    await publish(tree, NEW, 6, {"t2m": b"new 6"})

    six = await client.get("/maps/gfs/latest/pnw/t2m/f006.png")
    assert await six.read() == PNG + b"new 6"


async def test_what_is_not_published_says_why(client):
    waiting = await client.get(f"/maps/gfs/{NEW}/pnw/t2m/f003.png")
    failed = await client.get(f"/maps/gfs/{NEW}/pnw/refc/f000.png")
    unknown = await client.get(f"/maps/gfs/{NEW}/pnw/t2m/f999.png")

    assert (waiting.status, (await waiting.json())["state"]) == (404, "expected")
    assert waiting.headers["Cache-Control"] == "public, max-age=5"  # it may be there in a moment
    assert (failed.status, (await failed.json())["reason"]) == (404, "field missing")
    assert unknown.status == 404


async def test_digits_of_other_scripts_name_no_frame(client):
    for path in (f"{NEW}/pnw/t2m/f٠٠٠.png", "latest/pnw/t2m/f٠٠٠.png", "latest/pnw/t2m/f٠٠٠.vgrid"):
        answer = await client.get(f"/maps/gfs/{path}", allow_redirects=False)

        assert answer.status == 404
        assert "there is nothing at" in (await answer.json())["error"]


async def test_a_file_that_no_manifest_names_is_not_served(client, tree):
    path = tree.frame_path("gfs", NEW, "pnw", "t2m", 6)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PNG + b"half")

    answer = await client.get(f"/maps/gfs/{NEW}/pnw/t2m/f006.png")

    assert answer.status == 404


async def test_paths_that_climb_lead_nowhere(client):
    for path in (
        f"/maps/gfs/{NEW}/..%2f..%2f/t2m/f000.png",
        f"/maps/gfs/{NEW}/pnw/t2m/..%2fmanifest.json",
        "/maps/gfs/../../etc/passwd",
        "/viewer/..%2f..%2fapplication.py",
    ):
        answer = await client.get(path)
        assert answer.status == 404, path


async def test_the_values_lie_beside_the_picture_under_their_own_hash(client, tree):
    answer = await client.get(
        f"/maps/gfs/{NEW}/pnw/t2m/f000.vgrid", headers={"Accept-Encoding": "gzip, deflate"}
    )
    record = tree.manifest("gfs", NEW).frames["pnw"]["t2m"]["f000"]

    assert (answer.status, await answer.read()) == (200, VGRID + b"new 0")
    assert answer.content_type == "application/octet-stream"
    assert "Content-Encoding" not in answer.headers  # the file is compressed in itself
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert answer.headers["ETag"] == f'"{record.values.hash}"'
    assert record.values.hash != record.hash


async def test_under_its_hash_a_value_grid_is_immutable_and_who_has_it_gets_304(client, tree):
    address = f"/maps/gfs/{NEW}/pnw/t2m/f000.vgrid"
    digest = tree.values_hash("gfs", NEW, "pnw", "t2m", 0)

    named = await client.get(f"{address}?v={digest}")
    picture = await client.get(f"{address}?v={tree.frame_hash('gfs', NEW, 'pnw', 't2m', 0)}")
    again = await client.get(address, headers={"If-None-Match": f'"{digest}"'})

    assert "immutable" in named.headers["Cache-Control"]
    assert "immutable" not in picture.headers["Cache-Control"]
    assert (again.status, await again.read()) == (304, b"")


async def test_latest_values_are_of_the_newest_run_that_has_them(client, tree):
    await publish(tree, NEW, 6, {"t2m": b"new 6"}, values=False)

    picture = await client.get("/maps/gfs/latest/pnw/t2m/f006.png", allow_redirects=False)
    values = await client.get("/maps/gfs/latest/pnw/t2m/f006.vgrid", allow_redirects=False)

    digest = tree.values_hash("gfs", OLD, "pnw", "t2m", 6)
    assert values.status == 302
    assert f"/maps/gfs/{NEW}/pnw/t2m/f006.png" in picture.headers["Location"]
    assert values.headers["Location"] == f"/maps/gfs/{OLD}/pnw/t2m/f006.vgrid?v={digest}"
    assert await (await client.get(values.headers["Location"])).read() == VGRID + b"old 6"


async def test_a_picture_without_values_says_so(client, tree):
    await publish(tree, NEW, 6, {"t2m": b"new 6"}, values=False)

    without = await client.get(f"/maps/gfs/{NEW}/pnw/t2m/f006.vgrid")
    waiting = await client.get(f"/maps/gfs/{NEW}/pnw/t2m/f003.vgrid")
    nowhere = await client.get("/maps/gfs/latest/pnw/t2m/f384.vgrid")

    assert (without.status, (await without.json())["state"]) == (404, "published")
    assert "no value grid" in (await without.json())["error"]
    assert (waiting.status, (await waiting.json())["state"]) == (404, "expected")
    assert nowhere.status == 404


async def test_who_has_the_frame_needs_no_disk(client, tree):
    first = await client.get(f"/maps/gfs/{NEW}/pnw/t2m/f000.png")
    tree.frame_path("gfs", NEW, "pnw", "t2m", 0).unlink()

    again = await client.get(
        f"/maps/gfs/{NEW}/pnw/t2m/f000.png", headers={"If-None-Match": first.headers["ETag"]}
    )

    assert again.status == 304


async def test_a_map_is_read_though_all_that_brings_maps_online_waits_for_a_disk(
    client, monkeypatch
):
    monkeypatch.setattr(answers, "COMPRESS_ON_LOOP", 1000)
    loop, disk = asyncio.get_running_loop(), threading.Event()
    waiting = [loop.run_in_executor(None, disk.wait) for _ in range(100)]
    try:
        async with asyncio.timeout(60):
            answer = await client.get(f"/maps/gfs/{OLD}/pnw/t2m/f000.png")
            assert (answer.status, await answer.read()) == (200, PNG + b"old 0")
            large = await client.get("/api/v1/models", headers={"Accept-Encoding": "gzip"})
            assert large.headers["Content-Encoding"] == "gzip"
            assert (await large.json())["models"]
    finally:
        disk.set()
        await asyncio.gather(*waiting)


async def test_the_end_waits_for_no_disk_that_a_reader_waits_for():
    readers, disk = ReaderThreads(), threading.Event()
    try:
        readers.executor.submit(disk.wait)
        async with asyncio.timeout(60):
            await asyncio.to_thread(readers.close)
    finally:
        disk.set()


async def test_what_is_in_memory_waits_for_no_disk_that_readers_wait_for(client, monkeypatch):
    monkeypatch.setattr(answers, "COMPRESS_ON_LOOP", 1000)
    disk = threading.Event()
    waiting = [client.app[READERS].executor.submit(disk.wait) for _ in range(2 * THREADS)]
    try:
        async with asyncio.timeout(60):
            large = await client.get("/api/v1/models", headers={"Accept-Encoding": "gzip"})
            assert large.headers["Content-Encoding"] == "gzip"
            assert (await large.json())["models"]
        assert not any(each.done() for each in waiting)
    finally:
        disk.set()


def test_no_end_waits_for_a_thread_that_works_for_a_reader():
    readers = ReaderThreads()

    names = [
        threads.submit(lambda: threading.current_thread().name).result(60)
        for threads in (readers.executor, readers.packer)
    ]

    readers.close()
    assert all(name.startswith(stops.LEFT_ALONE) for name in names)  # see cli/test_stops.py


async def test_who_reads_from_a_disk_that_does_not_answer_waits_so_long_and_no_longer(tmp_path):
    (tmp_path / "map").write_bytes(b"map")
    with ThreadPoolExecutor(1) as threads:
        disk = threading.Event()
        threads.submit(disk.wait)
        with pytest.raises(TimeoutError):
            await ReaderThreads(threads, patience_s=0.05).read(tmp_path / "map")
        disk.set()
        content, digest = await ReaderThreads(threads).read(tmp_path / "map")
    assert (content, len(digest)) == (b"map", 16)
