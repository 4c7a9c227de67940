"""Whether the service's directories may lie where they are to. Pure: looks at no disk."""

import os
from collections.abc import Iterator
from pathlib import Path

from twf_async.settings.service import ServiceSettings


def faults(service: ServiceSettings) -> Iterator[tuple[str, str]]:
    """Key, and a sentence. The cache may be deleted at any time, and with it whatever is in it."""
    cache = _whole(service.cache_dir)
    for key in ("state_dir", "publish_dir"):
        place: Path = getattr(service, key)
        if _whole(place).is_relative_to(cache):
            told = (
                f"{place} lies in cache_dir, {service.cache_dir}, which may be deleted at any time"
            )
            yield key, f"{told}; name another directory"
    if cache.is_relative_to(_whole(service.publish_dir) / "maps"):
        yield "cache_dir", f"{service.cache_dir} lies among the maps; name another directory"


def _whole(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() looks at the disk
