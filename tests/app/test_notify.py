"""What systemd is told, and that nobody ever waits for it to listen."""

import socket

import pytest

from twf_async.app.notify import Notifier, watchdog_interval_s


@pytest.fixture(params=["path", "abstract"])
def listener(request, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        name = str(tmp_path / "notify")
        sock.bind(name if request.param == "path" else "\0" + name)
        sock.settimeout(5)
        yield sock, name if request.param == "path" else "@" + name


def test_ready_reload_and_stop_are_told(listener):
    sock, address = listener
    notifier = Notifier(address)

    notifier.ready("3 models")
    notifier.reloading()
    notifier.stopping()

    assert sock.recv(1000) == b"READY=1\nSTATUS=3 models"
    assert sock.recv(1000).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    assert sock.recv(1000) == b"STOPPING=1"
    notifier.close()


def test_a_socket_nobody_reads_does_not_block(listener):
    _, address = listener
    notifier = Notifier(address)

    for _ in range(10_000):
        notifier.alive()

    notifier.close()


def test_children_do_not_inherit_the_socket():
    environ = {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}

    Notifier.from_environment(environ).close()

    assert watchdog_interval_s(environ) == 20.0
    assert environ == {}


@pytest.mark.parametrize("value", ["", "0", "soon"])
def test_without_a_watchdog_nothing_is_fed(value):
    assert watchdog_interval_s({"WATCHDOG_USEC": value}) is None
