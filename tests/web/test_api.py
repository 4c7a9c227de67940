"""The API: what it says is what is published and configured."""

import asyncio
import json
from datetime import datetime

import pytest
from structlog.testing import capture_logs

from tests.web.conftest import NEW, OLD, publish
from twf_async.web.openapi import PATHS
from twf_async.web.v1 import file_parts


async def test_models_come_in_the_order_of_the_menus_with_their_products(client):
    body = await (await client.get("/api/v1/models")).json()

    assert [model["id"] for model in body["models"]] == ["gfs", "aigfs", "hrrr"]
    gfs = body["models"][0]
    assert gfs["latest"] == NEW
    assert gfs["products"][0]["id"] == "mslp_ptype"
    assert "pnw" in body["regions"]


async def test_runs_are_newest_first_with_counts(client):
    body = await (await client.get("/api/v1/runs?model=gfs")).json()

    assert [run["cycle"] for run in body["runs"]] == [NEW, OLD]
    assert body["runs"][1]["counts"] == {"published": 6}
    assert body["runs"][0]["counts"] == {"published": 1, "failed": 1, "expected": 4}


async def test_an_unknown_model_gets_one_sentence(client):
    answer = await client.get("/api/v1/runs?model=gsf")

    assert answer.status == 404
    assert "gfs, aigfs, hrrr" in (await answer.json())["error"]


async def test_the_manifest_names_every_frame(client, tree):
    body = await (await client.get(f"/api/v1/runs/gfs/{NEW}")).json()
    latest = await (await client.get("/api/v1/runs/gfs/latest")).json()

    assert body == latest
    assert body["frames"]["pnw"]["t2m"]["f000"]["state"] == "published"
    assert body["frames"]["pnw"]["refc"]["f000"]["reason"] == "field missing"
    assert body == json.loads(tree.manifest_path("gfs", NEW).read_bytes())


async def test_a_document_that_has_not_changed_is_304(client):
    first = await client.get("/api/v1/models")

    again = await client.get("/api/v1/models", headers={"If-None-Match": first.headers["ETag"]})

    assert again.status == 304


async def test_large_documents_are_compressed_for_who_can_read_them(client):
    plain = await client.get("/api/v1/models", headers={"Accept-Encoding": "identity"})
    packed = await client.get("/api/v1/models", headers={"Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert await packed.json() == await plain.json()


@pytest.mark.parametrize(
    ("said", "packed"),
    [
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, deflate", False),
        ("*;q=0", False),
        ("br", False),
        ("gzippy", False),
        (";;,q=,", False),
        ("", False),
    ],
)
async def test_only_who_can_read_it_gets_it_compressed(client, said, packed):
    answer = await client.get("/api/v1/models", headers={"Accept-Encoding": said})
    assert answer.headers.get("Content-Encoding") == ("gzip" if packed else None)
    assert (await answer.json())["models"]


async def test_a_legend_has_one_colour_per_bin_and_its_unit(client):
    body = await (await client.get("/api/v1/legends/mslp_ptype")).json()

    assert body["scales"]["rain"]["unit"] == "mm/h"
    assert body["scales"]["rain"]["levels"][0] == 0.01


async def test_events_reach_a_listener(client, tree, events):
    answer = await client.get("/api/v1/events")
    while not events.subscribers:
        await asyncio.sleep(0)

    events.emit("frame.published", {"model": "gfs", "hour": 3})

    text = b""
    while b"event: frame.published" not in text or not text.endswith(b"\n\n"):
        text += await answer.content.readany()
    assert b'data: {"model":"gfs","hour":3}' in text
    answer.close()


async def test_ready_only_without_reasons(client, reasons):
    assert (await client.get("/readyz")).status == 200

    reasons.append("no run has anything to show yet")
    answer = await client.get("/readyz")

    assert answer.status == 503
    assert (await answer.json())["reasons"] == reasons


async def test_health_and_metrics_answer(client):
    assert (await client.get("/healthz")).status == 200
    assert (await client.get("/health")).status == 200
    metrics = await client.get("/metrics")
    assert "process_cpu_seconds_total" in await metrics.text()
    assert metrics.headers["Cache-Control"] == "no-store"


async def test_the_viewer_and_the_documentation_are_there(client):
    page = await client.get("/")

    assert page.content_type == "text/html"
    assert "Content-Security-Policy" in page.headers
    assert "/api/v1/models" in await (await client.get("/api/docs")).text()


async def test_every_route_is_described_and_every_description_has_a_route(client):
    served = set()
    for route in client.app.router.routes():
        info = route.resource.get_info()
        path = info.get("path") or info.get("formatter")
        served.add(path)
    v1 = {"/health", "/images/{file}", "/viewer/{file}", "/"}
    ours = {
        path
        for path in served
        if path not in v1
        and (path.startswith(("/api/v1", "/maps", "/healthz", "/readyz", "/metrics")))
    }
    assert ours == set(PATHS)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_nothing_can_be_changed_from_outside(client, method):
    answer = await client.request(method, "/api/v1/models")

    assert answer.status == 405
    assert (await answer.json())["error"] == f"{method} is not allowed here"
    assert answer.headers["Allow"] == "GET, HEAD"


class TestRoutesOfV1:
    async def test_maps_of_the_latest_run(self, client, tree):
        body = await (await client.get("/api/maps?model=GFS&variable=temp&forecast_hour=0")).json()

        (one,) = body["maps"]
        assert one["run_time"] == "20260129_12"
        assert one["image_url"] == "/images/gfs_20260129_12_t2m_0.png"
        assert (await client.get(one["image_url"])).status == 200
        assert (await (await client.get(f"/api/maps/{one['id']}")).json())["id"] == one["id"]

    async def test_a_run_by_its_iso_time_and_by_its_own_form(self, client):
        for run_time in (
            "2026-01-29T06:00:00",
            "20260129_06",
            "2026-01-29T06:00:00%2B00:00",
            "2026-01-29T06:00:00+00:00",  # unescaped: a space to the server
            "2026-01-28T22:00:00-08:00",
        ):
            body = await (await client.get(f"/api/maps?model=GFS&run_time={run_time}")).json()
            assert len(body["maps"]) == 6, run_time

    async def test_models_are_never_mixed(self, client):
        """V1 once listed HRRR 19Z under GFS 12Z."""
        body = await (await client.get("/api/maps")).json()

        assert {one["model"] for one in body["maps"]} == {"GFS"}

    async def test_runs(self, client):
        body = await (await client.get("/api/runs")).json()

        assert body["total_runs"] == 2
        assert body["runs"][0]["is_latest"]
        assert body["runs"][0]["age_hours"] == 4.0

    async def test_both_lists_say_after_a_restart_what_they_said_before(self, client, tree):
        places = ("/api/maps?model=GFS", "/api/runs?model=GFS")
        before = [await (await client.get(place)).json() for place in places]

        await tree.stop()
        await tree.start()

        assert [await (await client.get(place)).json() for place in places] == before
        written = {run: tree.manifest("gfs", run) for run in tree.runs("gfs")}
        assert [run["generated_at"] for run in before[1]["runs"]] == [
            manifest.updated_at.isoformat() for manifest in written.values()
        ]
        (shown,) = before[0]["maps"]
        record = written["2026012912"].frames["pnw"]["t2m"]["f000"]
        assert datetime.fromisoformat(shown["created_at"]) == record.published_at
        assert shown["file_size"] == record.bytes

    async def test_models(self, client):
        body = await (await client.get("/api/models")).json()
        assert {model["id"] for model in body["models"]} == {"GFS", "AIGFS", "HRRR"}
        assert (await client.get("/api/models/hrrr")).status == 200
        assert (await client.get("/api/models/nam")).status == 404

    def test_names_of_files_hold_keys_of_any_form(self):
        assert file_parts("gfs_20260129_12_temp_6.png") == ("gfs", "2026012912", "t2m", 6)
        assert file_parts("my_gfs_2_20260129_12_snow_total_120.png") == (
            "my_gfs_2",
            "2026012912",
            "snow_total",
            120,
        )
        assert file_parts("gfs_20260129_12_t2m_٦.png") is None

    async def test_bad_input(self, client):
        assert (await client.get("/api/maps?model=NAM")).status == 400
        assert (await client.get("/api/maps?forecast_hour=six")).status == 400
        assert (await client.get("/api/maps?run_time=yesterday")).status == 400
        assert (await client.get("/images/../../etc/passwd")).status == 404
        assert (await client.get("/images/gfs_20260129_12_nothing_0.png")).status == 404


async def test_a_bug_of_ours_is_a_sentence_for_people_and_a_line_in_the_log(client, reasons):
    reasons.append(object())  # nothing that JSON could say

    with capture_logs() as lines:
        answer = await client.get("/readyz")

    assert answer.status == 500
    assert "mistake" in (await answer.json())["error"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert [(line["event"], line["path"]) for line in lines] == [("web.request_failed", "/readyz")]


async def test_the_event_stream_has_the_headers_of_every_answer(client):
    async with client.get("/api/v1/events") as stream:
        assert stream.headers["Access-Control-Allow-Origin"] == "*"
        assert stream.headers["X-Content-Type-Options"] == "nosniff"
        assert stream.headers["Content-Type"] == "text/event-stream"


async def test_publishing_shows_at_once(client, tree):
    await publish(tree, NEW, 3, {"t2m": b"new 3"})

    body = await (await client.get(f"/api/v1/runs/gfs/{NEW}")).json()

    assert body["frames"]["pnw"]["t2m"]["f003"]["state"] == "published"
