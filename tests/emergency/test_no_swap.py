"""The old system: four workers on a machine without swap that carries two, and the kernel killed.

Swap was the plan's first remedy. Here none is needed: no more is started than memory carries.
"""

from pathlib import Path

import pytest

from tests.emergency.machine import covering
from tests.emergency.test_oom_kill import FIRST

LIMIT_MB = 1200  # one worker by the plan's formula, whatever the cores


@pytest.fixture
def without_swap(tmp_path):
    """What makes a program see a machine without swap; also where there is some."""
    fake = tmp_path / "meminfo"
    lines = Path("/proc/meminfo").read_text().splitlines()
    swapless = [f"{line.split(':')[0]}: 0 kB" if line[:4] == "Swap" else line for line in lines]
    fake.write_text("\n".join(swapless) + "\n")
    return covering(fake, Path("/proc/meminfo"))


def test_without_swap_as_many_workers_start_as_memory_carries_and_the_kernel_kills_none(
    group, start, without_swap
):
    service = start((*group.join, *without_swap), TWF_FARM__WORKERS="auto")
    service.wait_published(FIRST)

    status = service.json("/api/v1/status")
    assert status["watchdog"]["vitals"]["swap_total_mb"] == 0
    assert status["watchdog"]["vitals"]["memory_limit_mb"] == LIMIT_MB
    assert len(status["farm"]) == 1
    assert status["gate"]["open"]
    assert service.end() == 0
    assert group.oom_kills() == 0
    assert group.peak_mb() < LIMIT_MB
