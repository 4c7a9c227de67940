"""The directories that the configuration names: made, or refused before anything is started."""

from pathlib import Path

from twf_async.errors import TwfError
from twf_async.settings.service import ServiceSettings

_KEYS = ("state_dir", "cache_dir", "publish_dir")


class UnusableDirectory(TwfError):
    """A directory of the configuration is none, and cannot be made."""


def make_directories(service: ServiceSettings) -> None:
    """Make those that are not there yet. UnusableDirectory names the setting. Blocking."""
    for key in _KEYS:
        path: Path = getattr(service, key)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnusableDirectory(
                f"{key}: {path} cannot be made ({error.strerror}); name a directory that may be"
                f" written, in service.toml or as TWF_{key.upper()}"
            ) from error
