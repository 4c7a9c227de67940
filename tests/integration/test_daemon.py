"""`twf-async serve` as systemd and operators meet it: a real process, real signals, real files."""

import json
import signal
from pathlib import Path

import psutil
import pytest

from tests.integration.service import GFS

FIRST = {("pnw", "t2m", "f000"), ("pnw", "t2m", "f006"), ("pnw", "t850", "f006")}


def test_it_follows_a_run_serves_its_maps_and_ends_clean(start):
    service = start()
    service.wait_published(FIRST)

    assert service.get("/readyz")[0] == 200
    status, picture = service.get("/maps/gfs/latest/pnw/t2m/f006.png")
    assert (status, picture[:4]) == (200, b"\x89PNG")
    assert service.json("/api/v1/status")["models"]["gfs"]["shown"] == GFS
    family = [psutil.Process(process.pid) for process in service.family()]

    assert service.end() == 0

    _, alive = psutil.wait_procs(family[1:], timeout=10)
    assert alive == []
    assert service.events("app.stopped")


def test_every_log_line_is_json_with_time_level_and_event(start):
    service = start()
    service.wait_published(FIRST)
    service.process.send_signal(signal.SIGUSR1)
    service.wait_event("app.dumped")
    service.end()

    for line in service.log_path.read_bytes().splitlines():
        assert len(line) < 4096
        record = json.loads(line)
        assert list(record)[:3] == ["ts", "level", "event"]


def test_a_reload_brings_new_products_and_regions_without_losing_a_frame(start, config):
    service = start()
    service.wait_published(FIRST)
    before = service.json(f"/api/v1/runs/gfs/{GFS}")["frames"]["pnw"]["t2m"]["f006"]
    regions = config / "regions.toml"
    regions.write_text(
        regions.read_text()
        + '[puget]\ntitle = "Puget Sound"\nwest = -123.5\neast = -121.0\nsouth = 47.0\n'
        'north = 49.0\nprojection = "mercator"\ncentral_longitude = -122.2\n'
        "width_px = 800\nheight_px = 800\n"
    )
    models = config / "models.toml"
    models.write_text(models.read_text().replace('["pnw"]', '["pnw", "puget"]', 1))

    service.process.send_signal(signal.SIGHUP)

    service.wait_published(FIRST | {("puget", *frame[1:]) for frame in FIRST})
    assert service.json(f"/api/v1/runs/gfs/{GFS}")["frames"]["pnw"]["t2m"]["f006"] == before
    assert service.events("app.reloaded")
    assert service.end() == 0


def test_a_reload_with_a_fault_keeps_the_old_configuration_and_says_where(start, config):
    service = start()
    service.wait_published(FIRST)
    products = config / "products.toml"
    products.write_text(products.read_text().replace('recipe   = "identity"', 'recipe = "idenity"'))

    service.process.send_signal(signal.SIGHUP)
    service.wait_event("app.reload_refused")

    fault = service.json("/api/v1/status")["reload_fault"]
    assert "products.toml: t2m.recipe: there is no recipe 'idenity'" in fault
    assert service.get("/maps/gfs/latest/pnw/t2m/f006.png")[0] == 200
    assert service.end() == 0


def test_a_second_signal_does_not_wait(start):
    service = start()
    service.wait_event("app.started")
    family = [psutil.Process(process.pid) for process in service.family()]
    service.process.send_signal(signal.SIGSTOP)
    service.process.send_signal(signal.SIGTERM)
    service.process.send_signal(signal.SIGINT)
    service.process.send_signal(signal.SIGCONT)

    assert service.process.wait(15) == 130
    _, alive = psutil.wait_procs(family[1:], timeout=10)
    assert alive == []


def test_killed_at_once_and_started_again_it_goes_on_where_it_was(start):
    service = start()
    service.wait_published({("pnw", "t2m", "f000")})
    family = [psutil.Process(process.pid) for process in service.family()]
    service.end(signal.SIGKILL)
    _, alive = psutil.wait_procs(family[1:], timeout=10)
    assert alive == []

    again = start()
    again.wait_published(FIRST)
    again.end()

    drawn = [line["hour"] for line in again.events("pipeline.hour_published")]
    assert drawn.count(0) <= 1, drawn  # the kill may come between a frame and its line


def test_an_address_that_is_taken_is_named_with_the_mend(start, twf):
    service = start()
    service.wait_event("app.started")

    done = twf(
        "serve",
        TWF_WEB__PORT=str(service.port),
        TWF_STATE_DIR=str(twf.root / "other"),
        TWF_PUBLISH_DIR=str(twf.root / "elsewhere"),
        TWF_UPSTREAM__NOMADS_URL="http://127.0.0.1:9",
    )

    assert done.code == 1
    assert f"cannot listen at 127.0.0.1:{service.port}" in done.err.splitlines()[-1]
    service.end()


def test_a_bad_configuration_is_exit_code_78(twf, tmp_path, config):
    (config / "service.toml").write_text("[web]\nprot = 1\n")

    done = twf("serve", "--config", config)
    checked = twf("check-config", "--config", config)

    assert (done.code, checked.code) == (78, 78)
    assert done.err == checked.err
    assert "service.toml: web.prot: unknown key" in done.err


@pytest.mark.parametrize("key", ["state_dir", "cache_dir", "publish_dir"])
def test_a_directory_that_is_a_file_is_named_with_the_setting(key, twf, tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "deeper"

    done = twf("serve", TWF_WEB__PORT="0", **{f"TWF_{key.upper()}": str(path)})

    assert done.code == 1
    assert f"{key}: {path} cannot be made (Not a directory)" in done.err.splitlines()[-1]
    assert f"TWF_{key.upper()}" in done.err.splitlines()[-1]
    assert "Traceback" not in done.err


def test_the_shipped_configuration_passes_its_check(twf):
    done = twf("check-config")

    assert done.code == 0
    assert "config: fine" in done.out


def test_workers_of_the_service_load_nothing_of_it(start):
    """Whatever __main__ imports, every worker imports again: it must stay light."""
    service = start()
    service.wait_published(FIRST)
    status = service.json("/api/v1/status")
    pids = [slot["pid"] for slot in status["farm"] if slot["pid"]]
    assert status["queue"].keys() == {"waiting", "held_for_memory"}

    for pid in pids:
        maps = Path(f"/proc/{pid}/maps").read_text()
        assert "uvloop" not in maps
        assert "aiohttp" not in maps
    service.end()
