"""A command that is forked where it is loaded is as one that starts from nothing."""

import os
import subprocess
import sys

import pytest

from tests.integration.service import REPOSITORY, unhurried


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
