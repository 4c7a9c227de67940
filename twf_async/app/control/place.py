"""Where the control socket is, and who listens there."""

import os
import socket
import stat
from pathlib import Path

from twf_async.errors import TwfError

NAME = "control.sock"
LONGEST_PATH = 107  # bytes: the kernel's sun_path less its final zero


class NoControl(TwfError):
    """There can be no control socket here, or nobody answers at it."""


class NoSocket(NoControl):
    """The disk takes no socket."""


class NobodyListens(NoControl):
    """No service runs with this state."""


def socket_path(state_dir: Path) -> Path:
    """The socket of the service with this state; NobodyListens where none can have that name."""
    path = state_dir / NAME
    length = len(os.fsencode(path))
    if length > LONGEST_PATH:
        raise NobodyListens(
            f"{path} is {length} bytes long, and a socket's path may have {LONGEST_PATH};"
            " set a shorter state_dir (TWF_STATE_DIR) to control the service"
        )
    return path


def listen_at(path: Path) -> socket.socket:
    """A listening socket at *path*, for its owner only; replaces that of a process that is dead.

    raises  NoSocket; NoControl where somebody listens, or something else is in the place
    """
    _clear(path)
    listener = socket.socket(socket.AF_UNIX)
    try:
        os.fchmod(listener.fileno(), 0o600)  # before it has a name, so that it is never open to all
        listener.bind(str(path))
        listener.listen()
    except OSError as error:
        listener.close()
        raise NoSocket(f"cannot listen at {path}: {error.strerror or error}") from error
    return listener


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise NoSocket(f"{path} cannot be replaced: {error.strerror or error}") from error


def _clear(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise NoControl(f"{path} is in the way of the control socket; move it away")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            _remove(path)
            return
        except FileNotFoundError:
            return
    raise NoControl(f"another service listens at {path}; stop it, or set another state_dir")
