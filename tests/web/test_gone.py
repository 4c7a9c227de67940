"""Maps of runs that were taken off: linked from elsewhere for years."""

import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from render_farm.render import notices
from tests.web.conftest import NEW, OLD, publish
from twf_async.web.maps import GONE


async def test_a_map_of_an_evicted_run_is_gone_and_a_picture_says_so(client, tree):
    before = await client.get(f"/maps/gfs/{OLD}/pnw/t2m/f006.png")
    await tree.evict_run("gfs", OLD)

    answer = await client.get(f"/maps/gfs/{OLD}/pnw/t2m/f006.png")
    body = await answer.read()
    head = await client.head(f"/maps/gfs/{OLD}/pnw/t2m/f006.png")
    again = await client.get(
        f"/maps/gfs/{OLD}/pnw/t2m/f006.png", headers={"If-None-Match": before.headers["ETag"]}
    )

    assert (before.status, answer.status, head.status, again.status) == (200, 410, 410, 410)
    assert answer.content_type == "image/png"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert "ETag" not in answer.headers
    assert struct.unpack(">II", body[16:24]) == (notices.WIDTH, notices.HEIGHT)
    assert len(body) < 12_000


async def test_values_of_an_evicted_run_are_gone_in_words(client, tree):
    await tree.evict_run("gfs", OLD)

    answer = await client.get(f"/maps/gfs/{OLD}/pnw/t2m/f006.vgrid")

    assert (answer.status, answer.content_type) == (410, "application/json")
    assert (await answer.json())["state"] == "gone"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


async def test_what_never_was_stays_unknown_beside_what_is_gone(client, tree):
    await tree.evict_run("gfs", OLD)

    for path in (
        f"{OLD}/pnw/t2m/f009.png",
        f"{OLD}/conus/t2m/f006.png",
        f"{OLD}/pnw/cape/f006.png",
        "2026012900/pnw/t2m/f006.png",
    ):
        for suffix in ("png", "vgrid"):
            answer = await client.get(f"/maps/gfs/{path[:-3]}{suffix}")
            assert answer.status == 404, path
    assert (await client.get(f"/maps/hrrr/{OLD}/pnw/t2m/f006.png")).status == 404


async def test_the_old_address_of_a_picture_tells_so_too(client, tree):
    await tree.evict_run("gfs", OLD)

    stem = f"gfs_{OLD[:8]}_{OLD[8:]}"
    answer = await client.get(f"/images/{stem}_temp_6.png")

    assert (answer.status, answer.content_type) == (410, "image/png")


async def test_a_run_that_is_drawn_anew_is_not_gone_any_more(client, tree):
    await tree.evict_run("gfs", OLD)
    await tree.open_run("gfs", OLD, hours=(0, 6), regions=("pnw",), products=("t2m",))
    waiting = await client.get(f"/maps/gfs/{OLD}/pnw/t2m/f006.png")
    await publish(tree, OLD, 6, {"t2m": b"again"})
    there = await client.get(f"/maps/gfs/{OLD}/pnw/t2m/f006.png")

    assert (waiting.status, (await waiting.json())["state"]) == (404, "expected")
    assert there.status == 200


async def test_latest_moves_only_to_a_run_that_has_something_to_show(client, tree):
    await tree.open_run("gfs", "2026012918", hours=(0,), regions=("pnw",), products=("t2m",))

    models = (await (await client.get("/api/v1/models")).json())["models"]
    latest = next(model["latest"] for model in models if model["id"] == "gfs")
    manifest = await (await client.get("/api/v1/runs/gfs/latest")).json()
    answer = await client.get("/maps/gfs/latest/pnw/t2m/f000.png", allow_redirects=False)

    assert latest == manifest["cycle"] == NEW
    assert f"/maps/gfs/{NEW}/" in answer.headers["Location"]


async def test_latest_goes_back_when_the_newest_run_is_evicted(client, tree):
    await tree.evict_run("gfs", NEW)

    answer = await client.get("/maps/gfs/latest/pnw/t2m/f000.png", allow_redirects=False)

    assert f"/maps/gfs/{OLD}/" in answer.headers["Location"]


def test_the_shipped_picture_is_what_its_maker_draws(tmp_path):
    (made,) = notices.write(tmp_path)
    shipped, fresh = (np.asarray(Image.open(path).convert("RGB")) for path in (GONE, made))
    assert np.abs(shipped.astype(int) - fresh).max() <= 8  # another version of the font's library
    assert made.name == GONE.name


def test_the_picture_is_words_on_paper(tmp_path):
    picture = np.asarray(Image.open(BytesIO(notices.gone())).convert("L"))
    inside = picture[1:-1, 1:-1]
    assert (inside > 240).mean() > 0.9
    words = inside[200:360] < 150
    assert words.sum() > 1500
    columns = np.flatnonzero(words.any(axis=0))
    assert columns.min() > 20
    assert columns.max() < notices.WIDTH - 20


@pytest.mark.parametrize("text", [pytest.param("w" * 60, id="wider than the picture")])
def test_words_that_do_not_fit_are_refused(text, monkeypatch):
    monkeypatch.setattr(notices, "GONE", ((text, 32.0, "bold", 1.0),))
    with pytest.raises(ValueError, match="wider than the picture"):
        notices.gone()
