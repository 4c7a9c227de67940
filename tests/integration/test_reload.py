"""SIGHUP under load: what is cached is drawn anew, nothing is missing, errors change nothing.

The real daemon as a process of its own, in the middle of a run.
"""

import signal
import threading
from contextlib import contextmanager

import psutil
import pytest

from tests.integration.coarse import CYCLE, Coarse, Upstream, edit, small_config
from tests.integration.service import wait_for

OLDER = "2026012906"
OVER = r'over     = "#f4dcc4"'


@pytest.fixture(scope="module")
def upstream(test_data):
    with Upstream(test_data, {"gfs": [OLDER, CYCLE]}) as upstream:
        yield upstream


@pytest.fixture
def config(tmp_path):
    return small_config(tmp_path / "config")


@pytest.fixture
def follow(tmp_path, upstream, config, prepared):
    started = []

    def _follow(name="service", **options):
        started.append(Coarse(tmp_path / name, upstream, config, prepared=prepared, **options))
        return started[-1]

    yield _follow
    for service in started:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()


@contextmanager
def asked_all_the_time(service):
    """Ask for every map that was ever online, again and again; yields what was not there."""
    lost, stop, seen = [], threading.Event(), set()

    def ask():
        while not stop.is_set():
            seen.update(service.frames())
            for region, product, hour in sorted(seen):
                path = f"/maps/gfs/{CYCLE}/{region}/{product}/{hour}.png"
                status, body = service.get(path)
                if status != 200 or not body.endswith(b"IEND\xaeB`\x82"):
                    lost.append((path, status))
            stop.wait(0.05)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield lost
    finally:
        stop.set()
        thread.join()
    assert seen


def warmer(config):
    """Another colour above the warmest class of temperatures, and another edge within them."""
    edit(config / "scales.toml", OVER, 'over     = "#ff00ff"')
    edit(config / "scales.toml", r"\[20.0, \"#3c8ad9\"\]", '[20.0, "#00ff00"]')


def test_a_changed_scale_is_drawn_as_a_fresh_start_would_and_nothing_is_missing_meanwhile(
    follow, config
):
    # At a pace at which it is in the middle of it for seconds, however fast the machine is.
    service = follow(hours="0-30/3", TWF_UPSTREAM__REQUESTS_PER_MIN="600")
    before = service.wait_some(8)
    assert service.state() == "running"

    with asked_all_the_time(service) as lost:
        warmer(config)
        style = (config / "style.toml").read_bytes()
        nested = "[" * 5000 + "]" * 5000  # more than the reader of TOML can bear
        (config / "style.toml").write_text(f"brand = {nested}")
        service.process.send_signal(signal.SIGHUP)
        service.wait_event("app.reload_refused")
        assert service.old() == set()
        (config / "style.toml").write_bytes(style)
        service.reload()
        service.wait_ended()
        wait_for(lambda: not service.old(), "every frame is of the new style")
    after = service.hashes()
    cache = {"TWF_CACHE_DIR": str(service.root / "cache")}
    assert service.files_are_as_said()
    assert service.end() == 0
    fresh = follow("fresh", hours="0-30/3", **cache)
    fresh.wait_ended()

    assert lost == []
    assert after == fresh.hashes()
    changed = {name for name, record in before.items() if record["hash"] != after[name]}
    assert changed == {name for name in before if name[1] == "t2m"}
    assert fresh.end() == 0


def test_a_changed_size_concerns_its_region_alone_and_a_product_that_goes_stays_online(
    follow, config
):
    edit(config / "models.toml", r'regions  = \["west"\]', 'regions  = ["west", "pnw"]')
    pnw = {"TWF_REGIONS__PNW__WIDTH_PX": "320", "TWF_REGIONS__PNW__HEIGHT_PX": "320"}
    service = follow(hours="0-6/3", **pnw)
    service.wait_ended()
    before = service.frames()

    edit(config / "regions.toml", "width_px = 320", "width_px = 360")
    edit(config / "models.toml", ', "precip_6h"', "")
    service.reload()
    wait_for(
        lambda: all(
            record["width_px"] == 360
            for (region, product, _), record in service.frames().items()
            if region == "west" and product != "precip_6h"
        ),
        "all are of the new size",
    )
    service.wait_ended()

    after = service.frames()
    kept = {name for name in before if name[0] == "pnw" or name[1] == "precip_6h"}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert before.keys() == after.keys()
    assert service.end() == 0


def test_twenty_reloads_in_a_second_cost_no_frame_and_draw_none_twice(follow):
    service = follow(hours="0-24/3")
    service.wait_some(4)
    old = {slot["pid"] for slot in service.json("/api/v1/status")["farm"]}

    for _ in range(20):
        service.process.send_signal(signal.SIGHUP)
    service.wait_event("app.reloaded")
    service.wait_ended()

    pids = {slot["pid"] for slot in service.json("/api/v1/status")["farm"] if slot["pid"]}
    assert not pids & old
    drawn = sum(line["frames"] for line in service.events("pipeline.hour_published"))
    assert drawn == len(service.frames())
    assert 1 <= len(service.events("app.reloaded")) <= 20
    assert service.files_are_as_said()
    assert service.end() == 0
    assert not [pid for pid in old | pids if psutil.pid_exists(pid)]


@pytest.mark.soak
def test_a_start_with_another_configuration_draws_again_what_is_cached_and_keeps_the_rest(
    follow, config
):
    service = follow(hours="0-6/3", TWF_CLOCK__START="2026-01-29T15:00:00Z")
    service.wait_ended(OLDER)
    assert service.end() == 0
    service = follow(hours="0-6/3")
    service.wait_ended(CYCLE)
    older, newest = service.hashes(OLDER), service.hashes(CYCLE)
    assert service.end() == 0
    for path in (service.root / "cache" / "grib" / "gfs" / OLDER).glob("f006.*"):
        path.unlink()
    warmer(config)

    service = follow(hours="0-6/3")
    wait_for(lambda: service.old(OLDER) == {("west", "t2m", "f006")}, "one of an old style")
    wait_for(lambda: not service.old(CYCLE), "the newest run is of the new style")

    redrawn = {n for n, digest in service.hashes(OLDER).items() if digest != older[n]}
    assert redrawn == {n for n in older if n[1] == "t2m" and n[2] != "f006"}
    changed = {n for n, digest in service.hashes(CYCLE).items() if digest != newest[n]}
    assert changed == {n for n in newest if n[1] == "t2m"}
    assert service.state(OLDER) == "complete"
    service.wait_event("pipeline.run_restyled")
    line = service.events("pipeline.run_restyled")[-1]
    assert (line["cycle"], line["drawn"], line["kept"]) == (OLDER, 2, 1)
    assert service.end() == 0
