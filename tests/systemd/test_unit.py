"""The unit file, judged by systemd's own tools."""

import shutil
import subprocess
from pathlib import Path

import pytest

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


def test_the_unit_keeps_clear_of_what_breaks_us():
    settings = dict(
        line.split("=", 1)
        for line in UNIT.read_text().splitlines()
        if "=" in line and line[0] != "#"
    )
    assert settings["Type"] == "notify"  # notify-reload is unknown to systemd 252
    assert settings["KillMode"] == "mixed"  # TERM to workers would break the drain
    assert settings["OOMPolicy"] == "continue"  # a killed renderer must not end the service
    assert "ProcSubset" not in settings  # it takes /proc/meminfo from the watchdog
    assert settings["User"] != "root"
    assert settings["RestartPreventExitStatus"] == "78"
