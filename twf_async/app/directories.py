"""The directories that the configuration names: made, or refused before anything is started."""

import os
from pathlib import Path

from twf_async.errors import TwfError
from twf_async.settings.service import ServiceSettings

DIRECTORIES = ("state_dir", "cache_dir", "publish_dir")


class UnusableDirectory(TwfError):
    """A directory of the configuration is none and cannot be made, or is somebody else's."""


def make_directories(service: ServiceSettings) -> None:
    """Make those that are not there yet. UnusableDirectory names the setting. Blocking."""
    for key in DIRECTORIES:
        path: Path = getattr(service, key)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnusableDirectory(
                f"{key}: {path} cannot be made ({error.strerror}); name a directory that may be"
                f" written, in service.toml or as TWF_{key.upper()}"
            ) from error
        if not os.access(path, os.W_OK | os.X_OK) and not _is_read_only(path):
            raise UnusableDirectory(
                f"{key}: {path} may not be written by user {os.geteuid()}, but belongs to"
                f" {path.stat().st_uid}; run this as the user whom it belongs to, or give it to"
                " the one who runs this (chown -R)"
            )


def _is_read_only(path: Path) -> bool:
    """Of a disk that takes nothing: what is there can be served, and others tell of it."""
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
