"""The unit file, judged by systemd's own tools."""

import shutil
import subprocess
from pathlib import Path

import pytest

from twf_async.app.control.place import socket_path
from twf_async.app.notify import watchdog_interval_s
from twf_async.cli.main import LAST_WAIT_S
from twf_async.errors import BadConfiguration
from twf_async.farm.reaper import REAP_S
from twf_async.farm.sizing import MB, worker_count
from twf_async.settings.load import load
from twf_async.settings.service import FarmSettings
from twf_async.web.door import MOST

UNIT = Path(__file__).resolve().parents[2] / "systemd" / "twf-async.service"
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


@pytest.fixture
def installed(tmp_path) -> Path:
    """The unit as it would lie after installation: verify wants the program to exist."""
    text = UNIT.read_text()
    assert "ExecStart=/opt/twf-async/.venv/bin/twf-async serve" in text
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace("/opt/twf-async/.venv/bin/twf-async", "/bin/true"))
    return copy


@needs_systemd
def test_systemd_accepts_the_unit_in_silence(installed):
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=yes", str(installed)],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_the_unit_is_hardened(installed):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(installed)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def unit() -> dict[str, str]:
    """Settings that are given once."""
    lines = (line for line in UNIT.read_text().splitlines() if "=" in line and line[0] != "#")
    return dict(line.split("=", 1) for line in lines)


def megabytes(text):
    return float(text[:-1]) * {"M": 1, "G": 1024}[text[-1]]


def test_the_unit_keeps_clear_of_what_breaks_us(unit):
    assert unit["Type"] == "notify"  # notify-reload is unknown to systemd 252
    assert unit["KillMode"] == "mixed"  # TERM to workers would break the drain
    assert unit["OOMPolicy"] == "continue"  # a killed renderer must not end the service
    assert "ProcSubset" not in unit  # it takes /proc/meminfo from the watchdog
    assert unit["User"] != "root"
    assert unit["ExecReload"].endswith("-HUP $MAINPID")  # a signal to the whole group would do harm
    assert unit["NotifyAccess"] == "main"


def test_nothing_but_a_stop_and_a_bad_configuration_ends_it_for_good(unit):
    assert unit["Restart"] == "always"  # a SIGTERM of somebody else's ends it with 0
    assert unit["StartLimitIntervalSec"] == "0"  # a port in use may be free in an hour
    assert unit["RestartPreventExitStatus"] == str(BadConfiguration.exit_code)


def test_a_stop_has_more_time_than_a_drain_and_workers_that_hang_take(unit):
    drain_s = FarmSettings().drain_s

    assert float(unit["TimeoutStopSec"]) > drain_s + 2 * REAP_S + LAST_WAIT_S + 10


def test_as_many_readers_as_are_let_in_leave_half_of_the_descriptors(unit):
    assert int(unit["LimitNOFILE"]) >= 2 * MOST
    assert f"{MOST} are let in" in UNIT.read_text()


def test_memory_slows_before_it_kills_and_carries_the_workers_that_are_counted_for_it(unit):
    high, limit = megabytes(unit["MemoryHigh"]), megabytes(unit["MemoryMax"])
    farm = FarmSettings()
    there = {"memory_limit": int(high * MB), "memory_available": int(high * MB)}
    workers = worker_count(farm, cores=8, **there)

    assert high < limit
    assert workers == 3
    # One of them may take all that it may allocate before the kernel must choose.
    assert 1024 * (workers - 1) * farm.worker_gb + 1024 * farm.worker_limit_gb < limit
    assert unit["MemorySwapMax"] == "0"


def test_state_and_control_socket_lie_where_the_unit_lets_us_write(unit):
    assert (unit["StateDirectory"], unit["CacheDirectory"]) == ("twf-async", "twf-async")
    assert unit["ProtectSystem"] == "strict"
    assert "AF_UNIX" in unit["RestrictAddressFamilies"]
    under = {
        "STATE_DIRECTORY": f"/var/lib/{unit['StateDirectory']}",
        "CACHE_DIRECTORY": f"/var/cache/{unit['CacheDirectory']}",
    }
    service = load(UNIT.parents[1] / "config", under).service
    assert socket_path(service.state_dir).is_relative_to(under["STATE_DIRECTORY"])
    assert service.publish_dir.is_relative_to(under["STATE_DIRECTORY"])
    assert service.cache_dir.is_relative_to(under["CACHE_DIRECTORY"])


def test_the_watchdog_is_fed_three_times_in_its_time(unit):
    microseconds = str(int(unit["WatchdogSec"]) * 10**6)

    assert watchdog_interval_s({"WATCHDOG_USEC": microseconds}) == int(unit["WatchdogSec"]) / 3
