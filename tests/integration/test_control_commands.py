"""The commands that talk to a running service, and whether what they say is true.

The truth is the replica's own hit log, and the manifest.
"""

import asyncio
import json
import signal
import time
from collections import Counter

import pytest

from tests.integration.service import GFS, wait_for
from twf_async.app.control.client import ask as control
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.running import running

HRRR = "2026012917"


@pytest.fixture
def ask(twf):
    async def run(*words):
        return await asyncio.to_thread(twf, *words)

    return run


async def drawn(service):
    def all_there():
        gfs, hrrr = service.published(), service.published("hrrr", HRRR)
        return {("pnw", "t2m", "f006")} <= gfs and {("pnw", "t2m", "f001")} <= hrrr

    await asyncio.to_thread(wait_for, all_there, "maps of both models")


def model_of(hit):
    return "gfs" if "gfs" in hit.path else "hrrr"


async def quiet(state, replica):
    """Return once nothing is asked of the replica any more, by what the service says."""
    while True:
        before = len(replica.hits)
        status = await asyncio.to_thread(control, state, "status")
        asked = sum(model["requests"] for model in status["models"].values())
        if before == asked == len(replica.hits):
            return


async def test_what_status_says_is_true_and_a_restart_is_served_by_its_cache(
    test_data, start, ask, twf
):
    async with running(DirectoryTree(test_data / "nomads")) as replica:

        async def started():
            return await asyncio.to_thread(
                start,
                TWF_UPSTREAM__NOMADS_URL=replica.url,
                TWF_CLOCK__START="2026-01-29T17:55:00Z",
                TWF_MODELS__HRRR__ENABLED="true",
            )

        service = await started()
        await drawn(service)
        paused = await ask("pause", "comparing", "notes")
        async with asyncio.timeout(60):
            await quiet(twf.root / "state", replica)
        status = json.loads((await ask("status", "--json")).out)
        told_s = time.monotonic()
        plain = await ask("status")

        assert (paused.code, paused.out.partition(";")[0].strip()) == (0, "paused")
        compare(status, told_s, replica.hits, service, twf)
        assert status["gate"]["held_by"] == {"operator": "comparing notes"}
        public = service.json("/api/v1/status")
        assert public.keys() == status.keys()
        assert public["models"].keys() == status["models"].keys()
        assert [text for text in texts(public) if text.startswith("/")] == []
        assert plain.code == 1  # somebody paused it
        for words in (GFS, HRRR, "PAUSED by the operator: comparing notes"):
            assert words in plain.out

        service.end(signal.SIGKILL)
        nobody = await ask("status")
        again = await started()

        def served():
            models = again.json("/api/v1/status").get("models", {}).values()
            return models and all(model["hours_served"] >= 2 for model in models)

        await asyncio.to_thread(wait_for, served, "two hours of both models, from the cache")
        well = await ask("status", "--json")
        status = json.loads(well.out)
        resumed = await ask("resume")

    assert (nobody.code, well.code) == (1, 0)
    assert "no service runs here" in nobody.err
    assert len(nobody.err.splitlines()) == 1
    assert f"last known: gfs {GFS} running, 2 hours fetched, the last at 2026-01-29" in nobody.out
    assert status["gate"]["held_by"] == {}
    assert resumed.out == "it was not paused\n"
    rates = {key: model["cache_hit_rate"] for key, model in status["models"].items()}
    assert rates == {"gfs": 1.0, "hrrr": 1.0}
    assert again.end() == 0


def texts(value):
    """Every text in a document."""
    if isinstance(value, dict):
        return [text for part in value.values() for text in texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [value] if isinstance(value, str) else []


def compare(status, told_s, hits, service, twf):
    """Hold every figure of both models to the replica's hits, the log and the manifests.

    told_s  time.monotonic() when the status had been told
    """
    asked, sent, fetched, cached = Counter(), Counter(), Counter(), Counter()
    for hit in hits:
        asked[model_of(hit)] += 1
        sent[model_of(hit)] += hit.bytes
    for line in service.events("fetch.finished"):
        fetched[line["model"]] += 1
        cached[line["model"]] += line["method"] == "CACHED"
    for key, cycle in (("gfs", GFS), ("hrrr", HRRR)):
        model, manifest = status["models"][key], twf.manifest(key, cycle)
        run = model["runs"][cycle]
        received = sum(size for kind, size in model["bytes"].items() if kind != "CACHED")
        assert (model["newest_run"], model["source"]) == (cycle, "nomads")
        assert model["throttled_until"] is None
        assert (model["requests"], received) == (asked[key], sent[key])
        assert run["received_bytes"] <= sent[key]
        assert model["cache_hit_rate"] == round(cached[key] / fetched[key], 4)
        assert run["hours"] == model["hours"]
        assert run["hours"]["expected"] == len(manifest["hours"])
        assert run["hours"]["fetched"] == fetched[key] - cached[key] <= run["hours"]["seen"]
        assert run["hours"]["pending"] == len(run["etas"])
        assert run["frames"]["published"] == len(twf.published(key, cycle))
        assert all(eta >= status["now"][:19] for eta in run["etas"].values() if eta)
    # All of them, but where the machine is so slow that the first left more than a minute ago.
    surely = sum(hit.monotonic_s > told_s - 50.0 for hit in hits)
    last_minute = [model["requests_last_minute"] for model in status["models"].values()]
    assert surely <= status["sources"]["nomads"]["requests_last_minute"] <= len(hits)
    assert surely <= sum(last_minute) <= len(hits)


async def test_reload_says_how_it_went_and_pins_keep_runs(start, ask, config, twf):
    service = await asyncio.to_thread(start)
    await asyncio.to_thread(service.wait_event, "pipeline.run_started")
    toml = config / "service.toml"
    toml.write_text(
        toml.read_text()
        .replace("max_gb        = 8", "max_gb = 9")
        .replace("8000", "8001")
        .replace("# max_workers ", "max_workers ")
        .replace("= 4 ", "= 3 ")
    )
    await ask("pause", "over", "the", "reload")
    await ask("pause")
    changed = await ask("reload", "--config", config)
    products = config / "products.toml"
    products.write_text(products.read_text().replace('recipe   = "identity"', 'recipe = "idenity"'))
    bad = await ask("reload", "--config", config)
    status = json.loads((await ask("status", "--json", "--config", config)).out)
    pinned = await ask("pin", "gfs", GFS, "snow", "storm")
    marker = (twf.root / "publish" / "maps" / "gfs" / GFS / "pin.json").exists()
    unpinned = await ask("unpin", "gfs", GFS)
    twice = await ask("unpin", "gfs", GFS)
    misspelt = await ask("pin", "gsf", GFS, "snow")
    backfill = await ask("backfill", "gfs", GFS)

    assert (changed.code, changed.out) == (0, "reloaded; with the next start: farm.max_workers\n")
    assert status["restart_needed"] == ["farm.max_workers"]
    assert bad.code == 78
    assert "t2m.recipe: there is no recipe 'idenity'" in bad.err
    assert status["cache"]["max_gb"] == 9
    assert status["gate"]["held_by"] == {"operator": "over the reload"}
    assert status["reload_fault"].startswith("products.toml: t2m.recipe")
    assert (pinned.code, marker, unpinned.code) == (0, True, 0)
    assert (twice.code, twice.err) == (2, f"gfs {GFS} is not pinned\n")
    assert (misspelt.code, misspelt.err) == (2, "there is no model 'gsf'; did you mean 'gfs'?\n")
    assert (backfill.code, backfill.err) == (2, f"gfs {GFS} is being worked on already\n")
    assert service.end() == 0
