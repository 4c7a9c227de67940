"""Room is made before a run is fetched, not after: the order of events at a running service.

Elsewhere cleaning came after new data, and failed because the disk was full by then.
"""

import json

import pytest

from tests.integration import conftest as commands
from tests.integration.service import GFS, wait_for
from tests.publish.conftest import staged as staged  # noqa: PLC0414 - a fixture of that room
from tests.publish.test_keeping_and_evicting import publish
from tests.upkeep.mounts import mounted
from twf_async.publish.manifest import RunState
from twf_async.publish.tree import PublishedTree

OLD = ("2026012900", "2026012906")
MB = 1 << 20

config = commands.config
replica = commands.replica
start = commands.start_from_nothing


@pytest.fixture
def state(tmp_path):
    return {
        "TWF_STATE_DIR": str(tmp_path / "state"),
        "TWF_CACHE_DIR": str(tmp_path / "disk" / "cache"),
        "TWF_PUBLISH_DIR": str(tmp_path / "disk" / "publish"),
        "TWF_PUBLISH__KEEP_RUNS": str(len(OLD)),
        "TWF_FARM__WORKERS": "1",
        "TWF_REGIONS__PNW__WIDTH_PX": "400",
        "TWF_REGIONS__PNW__HEIGHT_PX": "300",
        "TWF_MODELS__GFS__PRODUCTS": '["t2m"]',
        "TWF_WATCHDOG__DISK_FLOOR_GB": "0.01",
        "TWF_WATCHDOG__DISK_FLOOR_SHARE": "0.0001",
    }


async def older_runs(root, staged, *, large):
    """As many runs as are to be kept, whole; the oldest has *large* bytes besides."""
    tree = PublishedTree(root)
    await tree.start()
    for cycle in OLD:
        await publish(tree, staged, cycle)
        await tree.finish_run("gfs", cycle, RunState.COMPLETE)
    (tree.run_path("gfs", OLD[0]) / "large").write_bytes(bytes(large))
    await tree.stop()


def order(service):
    """Events from the oldest run's end to the first download, in the order of the log."""
    told = {
        "retention.run_deleted",
        "watchdog.fetch_held",
        "watchdog.fetch_released",
        "pipeline.run_started",
        "fetch.finished",
    }
    wait_for(lambda: service.events("fetch.finished"), "an hour is fetched")
    events = [json.loads(line)["event"] for line in service.lines()]
    return list(dict.fromkeys(event for event in events if event in told))


async def test_an_old_run_goes_before_anything_of_a_new_one_is_fetched(start, tmp_path, staged):
    await older_runs(tmp_path / "disk" / "publish", staged, large=1000)
    service = start()
    assert order(service) == ["retention.run_deleted", "pipeline.run_started", "fetch.finished"]
    assert [line["cycle"] for line in service.events("retention.run_deleted")] == [OLD[0]]
    assert service.end() == 0


async def test_on_a_disk_full_of_old_runs_one_goes_and_the_new_one_comes(start, tmp_path, staged):
    with mounted(tmp_path / "disk", "size=160m") as disk:
        await older_runs(disk / "publish", staged, large=155 * MB)
        service = start()
        assert order(service) == ["retention.run_deleted", "pipeline.run_started", "fetch.finished"]
        wait_for(
            lambda: service.json(f"/api/v1/runs/gfs/{GFS}").get("frames"), "the new run is there"
        )
        assert not (disk / "publish" / "maps" / "gfs" / OLD[0]).exists()
        assert (disk / "publish" / "maps" / "gfs" / OLD[1] / "pnw" / "t2m" / "f006.png").is_file()
        assert service.end() == 0
