"""Tells systemd how the service is (sd_notify), without ever waiting for it.

Own code: the libraries for it are unmaintained or need a compiler, and they block. A blocking
send stalls after eleven datagrams that nobody reads (net.unix.max_dgram_qlen), and with it the
loop.
"""

import os
import socket
import time
from collections.abc import MutableMapping


class Notifier:
    """One datagram socket to systemd; does nothing where there is none."""

    def __init__(self, address: str | None) -> None:
        self._socket: socket.socket | None = None
        self._address = address or ""
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.settimeout(0.0)  # never block

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str] = os.environ) -> "Notifier":
        """Take NOTIFY_SOCKET out of the environment, so that no child ever speaks for us."""
        return cls(environ.pop("NOTIFY_SOCKET", None))

    def ready(self, status: str) -> None:
        """Started, or reloaded; a failed reload ends with it too."""
        self._send(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        """A reload begins; without the time stamp systemd >= 253 would wait for ever."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The drain begins."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Feed the watchdog; only while work really moves."""
        self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if self._socket is None:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            self._socket.sendto(text.encode(), address)
        except OSError:  # full queue or no reader: systemd's affair, never ours
            return

    def close(self) -> None:
        """Release the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def watchdog_interval_s(environ: MutableMapping[str, str] = os.environ) -> float | None:
    """How often systemd wants to be told (a third of WATCHDOG_USEC), None if it does not."""
    microseconds = environ.pop("WATCHDOG_USEC", "")
    environ.pop("WATCHDOG_PID", None)
    return int(microseconds) / 3e6 if microseconds.isdigit() and int(microseconds) else None
