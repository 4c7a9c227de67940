"""`twf-async serve` as systemd and operators meet it: a real process, real signals, real files."""

import json
import shutil
import signal
from pathlib import Path

import psutil
import pytest

from tests.integration.conftest import starting, state_below
from tests.integration.service import GFS

FIRST = {("pnw", "t2m", "f000"), ("pnw", "t2m", "f006"), ("pnw", "t850", "f006")}


@pytest.fixture(scope="module")
def service(replica, config_dir, tmp_path_factory):
    """One that has drawn what there is, for those who look at it."""
    root = tmp_path_factory.mktemp("daemon")
    config = shutil.copytree(config_dir, root / "config")
    with starting(replica, state_below(root), config, root / "log.jsonl") as start:
        service = start()
        service.wait_published(FIRST)
        yield service


def every_line_has_time_level_and_event(log):
    for line in log.splitlines():
        assert len(line) < 4096
        record = json.loads(line)
        assert list(record)[:3] == ["ts", "level", "event"]


def test_it_follows_a_run_serves_its_maps_and_ends_clean(start_from_nothing):
    service = start_from_nothing()
    service.wait_published(FIRST)

    assert service.get("/readyz")[0] == 200
    status, picture = service.get("/maps/gfs/latest/pnw/t2m/f006.png")
    assert (status, picture[:4]) == (200, b"\x89PNG")
    assert service.json("/api/v1/status")["models"]["gfs"]["shown"] == GFS
    family = [psutil.Process(process.pid) for process in service.family()]

    assert service.end() == 0

    _, alive = psutil.wait_procs(family[1:], timeout=60)
    assert alive == []
    assert service.events("app.stopped")
    every_line_has_time_level_and_event(service.log_path.read_bytes())


def test_what_it_does_is_dumped_to_the_log_in_lines_as_all_others(service):
    service.process.send_signal(signal.SIGUSR1)
    service.wait_event("app.dumped")

    whole, _, _ = service.log_path.read_bytes().rpartition(b"\n")
    every_line_has_time_level_and_event(whole)


def test_a_reload_with_a_fault_keeps_the_old_configuration_and_says_where(service):
    products = service.config / "products.toml"
    products.write_text(products.read_text().replace('recipe   = "identity"', 'recipe = "idenity"'))

    service.process.send_signal(signal.SIGHUP)
    service.wait_event("app.reload_refused")

    fault = service.json("/api/v1/status")["reload_fault"]
    assert "products.toml: t2m.recipe: there is no recipe 'idenity'" in fault
    assert service.get("/maps/gfs/latest/pnw/t2m/f006.png")[0] == 200


def test_a_second_signal_does_not_wait(start_from_nothing):
    service = start_from_nothing()
    service.wait_event("app.started")
    family = [psutil.Process(process.pid) for process in service.family()]
    service.process.send_signal(signal.SIGSTOP)
    service.process.send_signal(signal.SIGTERM)
    service.process.send_signal(signal.SIGINT)
    service.process.send_signal(signal.SIGCONT)

    assert service.process.wait(60) == 130
    _, alive = psutil.wait_procs(family[1:], timeout=60)
    assert alive == []
    service.wait_event("app.stop_forced")


def test_an_address_that_is_taken_is_named_with_the_mend(service, twf):
    done = twf(
        "serve",
        TWF_WEB__PORT=str(service.port),
        TWF_STATE_DIR=str(twf.root / "other"),
        TWF_PUBLISH_DIR=str(twf.root / "elsewhere"),
        TWF_UPSTREAM__NOMADS_URL="http://127.0.0.1:9",
    )

    assert done.code == 1
    assert f"cannot listen at 127.0.0.1:{service.port}" in done.err.splitlines()[-1]


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


def test_workers_of_the_service_load_nothing_of_it(service):
    """Whatever __main__ imports, every worker imports again: it must stay light."""
    status = service.json("/api/v1/status")
    pids = [slot["pid"] for slot in status["farm"] if slot["pid"]]
    assert pids
    assert status["queue"].keys() == {"waiting", "held_for_memory"}

    for pid in pids:
        maps = Path(f"/proc/{pid}/maps").read_text()
        assert "uvloop" not in maps
        assert "aiohttp" not in maps
