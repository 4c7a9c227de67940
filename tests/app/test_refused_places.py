"""Places that take nothing: somebody else's directory, a read-only disk, a host that is not."""

import socket
import subprocess
import sys

import pytest
from structlog.testing import capture_logs

from tests.integration.service import unhurried
from tests.upkeep.mounts import make_read_only, mounted
from twf_async.app.control.place import NAME
from twf_async.app.control.server import ControlServer
from twf_async.app.directories import make_directories
from twf_async.app.site import reason
from twf_async.settings.service import ServiceSettings

AS_SOMEBODY = """
import os
from twf_async.app.directories import UnusableDirectory, make_directories
from twf_async.settings.service import ServiceSettings
if os.geteuid() == 0:
    os.setuid(65534)
try: make_directories(ServiceSettings(state_dir="state", cache_dir="cache", publish_dir="maps"))
except UnusableDirectory as error: print(error)
"""


@pytest.fixture
def places(tmp_path):
    tmp_path.chmod(0o777)
    found = {name: tmp_path / name for name in ("state", "cache", "maps")}
    for path in found.values():
        path.mkdir()
        path.chmod(0o777)
    return found


@pytest.mark.parametrize("name", ["state", "cache", "maps"])
def test_a_directory_of_somebody_else_is_told_before_anything_starts(name, places, tmp_path):
    places[name].chmod(0o555)

    done = subprocess.run(
        [sys.executable, "-c", AS_SOMEBODY], cwd=tmp_path, capture_output=True, text=True
    )

    key = {"maps": "publish_dir"}.get(name, f"{name}_dir")
    assert unhurried(done.stderr) == ""
    assert done.stdout.startswith(f"{key}: {name} may not be written by user ")
    assert "run this as the user whom it belongs to" in done.stdout


def test_of_a_read_only_disk_others_tell(tmp_path):
    with mounted(tmp_path / "disk", "size=1m") as disk:
        service = ServiceSettings(
            state_dir=disk / "state", cache_dir=disk / "cache", publish_dir=disk / "maps"
        )
        make_directories(service)
        make_read_only(disk)

        make_directories(service)


@pytest.mark.parametrize("left", [False, True], ids=["bare", "with the socket of a dead one"])
async def test_a_read_only_disk_of_the_state_costs_the_control_and_not_the_service(left, tmp_path):
    with mounted(tmp_path / "state", "size=1m") as disk:
        if left:
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(str(disk / NAME))
        make_read_only(disk)

        server = ControlServer(disk, ())
        with capture_logs() as logs:
            await server.start()
            await server.stop()

    (line,) = logs
    assert line["event"] == "control.unavailable"
    assert line["reason"].endswith("Read-only file system")


def test_a_host_that_is_not_found_is_told_in_the_systems_words():
    with pytest.raises(OSError) as caught:
        socket.getaddrinfo("no such host", 80)

    assert reason(caught.value) == caught.value.strerror
    assert "Unknown error" not in reason(caught.value)
