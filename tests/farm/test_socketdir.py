"""What a killed service leaves of its socket: removed by the next, and by nobody while it lives."""

import os
import re
import subprocess
import sys

import pytest

from twf_async.farm import socketdir

CLAIM = """
from multiprocessing import util
from twf_async.farm import socketdir
socketdir.claim()
socketdir.claim()
print(util.get_temp_dir(), flush=True)
input()
"""

SWEEP_AS_NOBODY = """
import os
from pathlib import Path
from twf_async.farm import socketdir
os.seteuid(65534)
socketdir.sweep(Path("."))
"""


@pytest.fixture
def other(tmp_path):
    """A process that has claimed a directory below *tmp_path*; ended by a line that it reads."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLAIM],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline().startswith(str(tmp_path))
    yield process
    process.kill()
    process.communicate()


def directories(tmp_path):
    return [*tmp_path.glob("pymp-*")]


def test_the_directory_of_a_service_that_was_killed_is_removed(tmp_path, other):
    other.kill()
    other.wait()
    assert len(directories(tmp_path)) == 1

    socketdir.sweep(tmp_path)

    assert directories(tmp_path) == []


def test_that_of_one_that_lives_stays_and_goes_with_its_usual_end(tmp_path, other):
    socketdir.sweep(tmp_path)
    assert len(directories(tmp_path)) == 1

    other.communicate("\n")

    assert directories(tmp_path) == []


def test_that_of_another_program_stays(tmp_path, other):
    (tmp_path / "pymp-others").mkdir()
    (tmp_path / "pymp-link").symlink_to(directories(tmp_path)[0])
    other.kill()
    other.wait()

    socketdir.sweep(tmp_path)

    assert {path.name for path in directories(tmp_path)} == {"pymp-others", "pymp-link"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_that_of_another_user_stays_and_is_no_trouble(tmp_path, other):
    other.kill()
    other.wait()
    tmp_path.chmod(0o777)

    subprocess.run([sys.executable, "-c", SWEEP_AS_NOBODY], cwd=tmp_path, check=True)

    assert len(directories(tmp_path)) == 1


@pytest.mark.parametrize(
    ("place", "told"),
    [("x" * 100, "TMPDIR: .* is too long"), ("x" * 300, "no directory for temporary files")],
    ids=["too long", "cannot be written"],
)
def test_where_there_can_be_no_socket_that_is_said_with_its_mend(tmp_path, place, told):
    if len(place) < 255:
        (tmp_path / place).mkdir()
    script = (
        "import os, sys, tempfile\n"
        "from twf_async.farm import socketdir\n"
        "tempfile._candidate_tempdir_list = lambda: [os.environ['TMPDIR']]\n"
        "try: socketdir.claim()\n"
        "except socketdir.NoPlace as error: print(error)\n"
    )
    environ = {**os.environ, "TMPDIR": str(tmp_path / place)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True
    )
    assert re.match(told, done.stdout), done.stderr


def test_a_directory_that_somebody_removed_is_no_trouble_at_the_end(tmp_path):
    script = (
        "import shutil; from pathlib import Path\n"
        "from twf_async.farm import socketdir\n"
        "socketdir.claim()\n"
        f"for place in Path({str(tmp_path)!r}).glob('pymp-*'): shutil.rmtree(place)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr, list(tmp_path.iterdir())) == (0, "", [])
