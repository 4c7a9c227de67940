"""A command that is forked where it is loaded is as one that starts from nothing."""

import os
import subprocess
import sys

import psutil
import pytest

from tests.integration.service import REPOSITORY, Service, unhurried

HRRR = "nomads/pub/data/nccf/com/hrrr/prod/hrrr.20260129/conus/hrrr.t17z.wrfsfcf01.grib2"


@pytest.mark.parametrize(
    "words",
    [
        ("check-config",),
        ("status",),
        ("run", "--model", "gsf"),
        ("--debug", "pin", "gfs", "20260129", "why"),
    ],
    ids=" ".join,
)
def test_it_says_the_same_and_ends_with_the_same_code(words, state, prepared, tmp_path):
    given = {
        "cwd": tmp_path,
        "env": os.environ | state | {"TWF_CONFIG": str(REPOSITORY / "config")},
    }

    forked = prepared.run(words, **given, timeout=60)
    from_nothing = subprocess.run(
        [sys.executable, "-m", "twf_async", *words], **given, capture_output=True, text=True
    )

    told, truth = (
        (done.returncode, done.stdout, unhurried(done.stderr)) for done in (forked, from_nothing)
    )
    assert told == truth
    assert forked.stdout + forked.stderr


def test_it_is_killed_when_its_time_is_over(state, prepared, tmp_path):
    silent = {"TWF_CONFIG": str(REPOSITORY / "config"), "TWF_WEB__PORT": "0"}

    with pytest.raises(subprocess.TimeoutExpired):
        prepared.run(["serve"], cwd=tmp_path, env=os.environ | state | silent, timeout=0.1)


def test_what_it_draws_is_the_same_byte_for_byte(state, prepared, tmp_path, test_data):
    words = ("render", str(test_data / HRRR), "--product", "t2m", "--region", "pnw")
    words += ("--size", "400x300", "--out")
    given = {"cwd": REPOSITORY, "env": os.environ | state}

    forked = prepared.run([*words, str(tmp_path / "forked")], **given, timeout=60)
    from_nothing = subprocess.run(
        [sys.executable, "-m", "twf_async", *words, tmp_path / "from nothing"], **given
    )

    assert (forked.returncode, from_nothing.returncode) == (0, 0), forked.stderr
    (ours,), (true,) = ([*(tmp_path / of).iterdir()] for of in ("forked", "from nothing"))
    assert (ours.name, ours.read_bytes()) == (true.name, true.read_bytes())


def test_a_service_is_a_process_of_its_own_and_takes_all_that_are_its_own_along(
    state, prepared, config, tmp_path
):
    nobody = {"TWF_UPSTREAM__NOMADS_URL": "http://127.0.0.1:9"}
    service = Service(state | nobody, tmp_path / "log.jsonl", config, prepared=prepared)
    service.wait_event("app.started")
    family = [psutil.Process(process.pid) for process in service.family()]
    with pytest.raises(subprocess.TimeoutExpired):
        service.process.wait(0.1)

    service.process.kill()
    code = service.process.wait(60)
    _, alive = psutil.wait_procs(family, timeout=60)

    assert len(family) >= 3  # itself, Python's tracker and the forkserver
    assert code == service.process.poll() == -9
    assert alive == []
