"""Failed is not gone: what a map that is not there answers, in every way that one can ask."""

import asyncio

import pytest

from tests.web.conftest import NEW, OLD, PNG, publish


async def ask(client, path, how):
    """The status of one way to ask for a map."""
    headers = {"If-None-Match": '"0123456789abcdef", *'} if how == "if-none-match" else {}
    headers |= {"Range": "bytes=0-3"} if how == "range" else {}
    query = "?v=0123456789abcdef" if how == "v" else ""
    method = client.head if how == "head" else client.get
    async with method(path + query, headers=headers) as answer:
        return answer.status, answer.content_type, answer.headers.get("Cache-Control")


WAYS = ("get", "head", "if-none-match", "v", "range")


@pytest.mark.parametrize("how", WAYS)
async def test_a_frame_that_failed_is_no_frame_that_is_gone_before_and_after_eviction(
    client, tree, how
):
    await publish(tree, NEW, 6, {"refc": b"echo"})  # so that product and region were online
    failed = f"/maps/gfs/{NEW}/pnw/refc/f000"

    online = [await ask(client, f"{failed}{suffix}", how) for suffix in (".png", ".vgrid")]
    await tree.evict_run("gfs", NEW)
    gone = [await ask(client, f"{failed}{suffix}", how) for suffix in (".png", ".vgrid")]

    assert online == gone == [(404, "application/json", "public, max-age=5")] * 2


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(
    ("suffix", "kind"), [(".png", "image/png"), (".vgrid", "application/json")]
)
async def test_a_frame_that_was_online_is_gone_however_it_is_asked_for(
    client, tree, how, suffix, kind
):
    await tree.evict_run("gfs", OLD)

    found = await ask(client, f"/maps/gfs/{OLD}/pnw/t2m/f006{suffix}", how)

    assert found == (410, kind, "public, max-age=3600")


async def test_the_sentence_says_that_it_never_was(client, tree):
    await publish(tree, NEW, 6, {"refc": b"echo"})
    before = await (await client.get(f"/maps/gfs/{NEW}/pnw/refc/f000.png")).json()
    await tree.evict_run("gfs", NEW)
    after = await (await client.get(f"/maps/gfs/{NEW}/pnw/refc/f000.png")).json()
    nobody = await (await client.get("/maps/gfs/2026012800/pnw/refc/f000.png")).json()

    assert (before["state"], before["reason"]) == ("failed", "field missing")
    assert after["state"] == "never_published"
    assert "never online" in after["error"]
    assert "state" not in nobody


async def test_the_same_holds_after_a_restart(client, tree):
    await publish(tree, NEW, 6, {"refc": b"echo"})
    await tree.evict_run("gfs", NEW)
    await tree.stop()
    await tree.start()

    for path, status in (("refc/f000", 404), ("refc/f006", 410), ("t2m/f000", 410)):
        assert (await client.get(f"/maps/gfs/{NEW}/pnw/{path}.png")).status == status


async def test_who_downloads_while_a_run_is_evicted_gets_the_map_or_is_told_that_it_is_gone(
    client, tree
):
    paths = [f"/maps/gfs/{OLD}/pnw/{k}/f{h:03d}.png" for k in ("t2m", "refc") for h in (0, 3, 6)]

    async def fetch(path):
        async with client.get(path) as answer:
            return answer.status, await answer.read()

    asked = [asyncio.create_task(fetch(path)) for path in paths * 5]
    await asyncio.sleep(0)
    evicting = asyncio.create_task(tree.evict_run("gfs", OLD))
    for _ in range(40):
        asked += [asyncio.create_task(fetch(path)) for path in paths[:2]]
        await asyncio.sleep(0)
    await evicting
    found = await asyncio.gather(*asked)

    assert {status for status, _ in found} <= {200, 410}
    assert all(body.startswith(PNG) for _, body in found)
    assert (await fetch(paths[0]))[0] == 410


@pytest.mark.parametrize("suffix", ["png", "vgrid"])
async def test_a_map_that_the_disk_does_not_give_is_neither_gone_nor_unknown(client, tree, suffix):
    path = tree.frame_path("gfs", OLD, "pnw", "t2m", 6).with_suffix(f".{suffix}")
    path.unlink()
    path.mkdir()  # EISDIR, as EIO of a failing disk

    answer = await client.get(f"/maps/gfs/{OLD}/pnw/t2m/f006.{suffix}")

    assert (answer.status, answer.headers["Cache-Control"]) == (503, "no-store")
    assert "cannot be read" in (await answer.json())["error"]


async def test_a_picture_that_is_just_being_replaced_is_not_kept_for_a_year_as_the_old_one(
    client, tree
):
    place = ("gfs", OLD, "pnw", "t2m", 6)
    address = f"/maps/gfs/{OLD}/pnw/t2m/f006.png"
    before = tree.frame_hash(*place)
    tree.frame_path(*place).write_bytes(PNG + b"drawn anew")  # and no manifest says so yet

    answer = await client.get(f"{address}?v={before}")
    mine = await client.get(address, headers={"If-None-Match": f'"{before}"'})

    assert await answer.read() == PNG + b"drawn anew"
    assert answer.headers["ETag"] != f'"{before}"'
    assert "immutable" not in answer.headers["Cache-Control"]
    assert mine.status == 304  # by the manifest the old one is still what is online
    await publish(tree, OLD, 6, {"t2m": b"drawn anew"})
    after = await client.get(f"{address}?v={tree.frame_hash(*place)}")
    assert after.headers["ETag"] == answer.headers["ETag"]
    assert "immutable" in after.headers["Cache-Control"]
