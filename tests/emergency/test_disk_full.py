"""The old system: nobody watched the disk, and what a full one cut short was taken for whole.

A run is half way when the disk fills to the last byte. The floor below which nothing is fetched,
and what is deleted before, is a matter of tests/upkeep and tests/integration.
"""

import hashlib
import json
import signal

import pytest

from tests.emergency.machine import small_disk, stuff
from tests.integration.service import GFS, wait_for

BEFORE = {("pnw", "t2m", "f000")}
FIRST = BEFORE | {("pnw", "t2m", "f006")}
ALL_HOURS, FIRST_HOUR, TWO_HOURS = (
    f'hours          = "{hours}"' for hours in ("0-120/3,126-384/6", "0", "0-6/6")
)
FULL = "[Errno 28] No space left on device"


def watching(every_s):
    """The watchdog's settings; a floor of one kilobyte."""
    return {
        "TWF_WATCHDOG__DISK_FLOOR_GB": "0.000001",
        "TWF_WATCHDOG__DISK_FLOOR_SHARE": "0.000001",
        "TWF_WATCHDOG__INTERVAL_S": every_s,
        "TWF_CLOCK__SPEED": "10",
    }


class HalfWay:
    """A service whose run has one hour and is to have a second."""

    def __init__(self, start, config, publish, settings):
        self._models, self._publish = config / "models.toml", publish
        text = self._models.read_text()
        assert ALL_HOURS in text
        self._models.write_text(text.replace(ALL_HOURS, FIRST_HOUR))
        self.service = start(**settings)
        wait_for(lambda: self.state() == "complete", "the first hour is there")
        self.before = self.online()

    def go_on(self):
        self._models.write_text(self._models.read_text().replace(FIRST_HOUR, TWO_HOURS))
        self.service.process.send_signal(signal.SIGHUP)

    def state(self):
        return self.service.json(f"/api/v1/runs/gfs/{GFS}").get("state")

    def online(self):
        """What the manifest on disk says is online; every file is as it says."""
        run = self._publish / "maps" / "gfs" / GFS
        frames = json.loads((run / "manifest.json").read_text())["frames"]
        found = {}
        for product, hours in frames["pnw"].items():
            for hour, record in hours.items():
                if record["state"] == "published":
                    picture = (run / "pnw" / product / f"{hour}.png").read_bytes()
                    assert hashlib.sha256(picture).hexdigest().startswith(record["hash"])
                    found["pnw", product, hour] = record["hash"]
        return found

    def hours_without_room(self):
        return [e for e in self.service.events("pipeline.publish_failed") if "hour" in e]

    def is_as_before(self):
        assert self.service.get("/maps/gfs/latest/pnw/t2m/f000.png")[0] == 200
        assert self.online() == self.before

    def goes_on_by_itself(self, within_s=60):
        wait_for(
            lambda: self.service.published() >= FIRST and self.state() == "complete",
            "the run is complete",
            within_s=within_s,
        )
        assert self.service.end() == 0
        assert self.online().keys() == FIRST
        assert self.online().items() >= self.before.items()


@pytest.fixture
def half_way(start, config, tmp_path):
    return lambda settings: HalfWay(start, config, tmp_path / "publish", settings)


@pytest.mark.soak
@pytest.mark.parametrize("full", ["state", "cache", "publish"])
def test_disk_full_holds_downloads_says_so_and_goes_on_when_there_is_room(half_way, tmp_path, full):
    with small_disk(tmp_path / full, 160) as disk:
        run = half_way(watching("0.1"))
        stuffing = stuff(disk)
        wait_for(  # what is deleted to make room is taken up as well
            lambda: run.service.events("watchdog.fetch_held") or not stuff(disk),
            "downloads are held",
        )
        run.go_on()
        run.service.wait_event("app.reloaded")

        status = run.service.json("/api/v1/status")
        assert status["gate"]["fetch_held_by"] == {"disk": f"disk nearly full: {full}_dir"}
        assert run.service.get("/readyz")[0] == 503
        run.is_as_before()

        stuffing.unlink()
        run.goes_on_by_itself()


def test_disk_full_between_two_looks_costs_the_frames_being_drawn_a_while_and_no_more(
    half_way, tmp_path
):
    with small_disk(tmp_path / "publish", 160) as disk:
        run = half_way(watching("3600"))
        stuffing = stuff(disk)
        run.go_on()
        failed = wait_for(run.hours_without_room, "an hour found no room")
        assert FULL in failed[0]["reason"]
        run.is_as_before()

        stuffing.unlink()
        run.goes_on_by_itself()


@pytest.mark.soak
def test_disk_full_between_two_looks_costs_a_download_a_minute(half_way, tmp_path):
    with small_disk(tmp_path / "cache", 160) as disk:
        run = half_way(watching("3600"))
        stuffing = stuff(disk)
        run.go_on()
        run.service.wait_event("fetch.failed")
        assert run.service.events("fetch.failed")[0]["reason"] == "no disk space"
        run.is_as_before()

        stuffing.unlink()
        run.goes_on_by_itself(within_s=110)
