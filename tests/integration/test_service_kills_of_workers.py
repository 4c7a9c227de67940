"""kill -9 of a random worker of the real daemon every 15 s during a run of 85 hours."""

import os
import random
import signal
import sys
import time

import psutil
import pytest

from tests.integration.coarse import CYCLE, Coarse, Upstream, edit, small_config

EVERY_S = 15.0
MB = 1 << 20


def killed_meanwhile(service, chance):
    """Kill busy workers until the run ends; returns the hours hit, and memory in MB."""
    main, hit, memory = psutil.Process(service.process.pid), [], []
    due = time.monotonic() + EVERY_S
    while service.state() != "complete":
        if time.monotonic() < due:
            memory.append(main.memory_full_info().pss / MB)
            time.sleep(0.2)
            continue
        # An hour takes a fifth of a second where nothing else runs: who looks seldom finds none.
        time.sleep(0.01)
        if not (busy := at_work(service)):
            continue
        pid, hour = chance.choice(sorted(busy.items()))
        time.sleep(chance.uniform(0.0, 0.2))  # or it would always be hit at its beginning
        if at_work(service).get(pid) == hour:
            os.kill(pid, signal.SIGKILL)
            hit.append(hour)
            due = time.monotonic() + EVERY_S
    return hit, memory


def at_work(service):
    """Process -> hour that it draws."""
    slots = service.json("/api/v1/status").get("farm", [])
    return {slot["pid"]: slot["job"]["hour"] for slot in slots if slot["job"] and slot["pid"]}


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_run_of_85_hours_loses_nothing_to_kills_of_its_workers(tmp_path, test_data, capsys):
    config = small_config(tmp_path / "config")
    large = "width_px = 1700\nheight_px = 1300\n"
    edit(config / "regions.toml", r"width_px = 320\nheight_px = 400\n", large)
    with Upstream(test_data, {"gfs": [CYCLE]}) as upstream:
        pace = {"TWF_UPSTREAM__REQUESTS_PER_MIN": "90"}
        service = Coarse(tmp_path / "service", upstream, config, hours="0-252/3", **pace)
        try:
            service.wait_some(40)
            hit, memory = killed_meanwhile(service, random.Random(1))
            frames = service.frames()
            assert service.files_are_as_said()
            assert service.end() == 0
        finally:
            service.process.kill()
            service.process.wait()

    lost, kept = service.events("farm.job_lost"), service.events("render.frames_kept")
    with capsys.disabled():
        tenth = max(1, len(memory) // 10)
        sys.stdout.write(
            f"\n{len(hit)} kills, {len(lost)} jobs lost, {sum(line['frames'] for line in kept)}"
            f" frames of {len(kept)} of them kept; the service itself (PSS): at first"
            f" {max(memory[:tenth]):.1f} MB, at the end {max(memory[-tenth:]):.1f} MB\n"
        )
    assert len(frames) == 85 + 85 + 84 + 83
    assert len(hit) >= 4
    assert lost
    assert not any(line["strike"] for line in lost)
    assert service.events("farm.job_quarantined") == []
    drawn = [line["hour"] for line in service.events("pipeline.hour_published")]
    assert len(drawn) == len(set(drawn)) == 85
    assert max(memory[-tenth:]) - max(memory[:tenth]) < 25.0
