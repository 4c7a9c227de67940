"""What a reload cannot change while the service runs. Pure."""

from operator import attrgetter

from twf_async.settings.service import ServiceSettings

FIXED = (
    *("state_dir", "cache_dir", "publish_dir", "clock", "web.host", "web.port", "logs.format"),
    *("farm.backend", "farm.scheduler", "farm.ship_limit_mb"),
    *("farm.workers", "farm.max_workers", "farm.reserve_gb", "farm.worker_gb"),
)


def restart_needed(now: ServiceSettings, fresh: ServiceSettings) -> tuple[str, ...]:
    """Keys of service.toml that differ and take effect with the next start only."""
    return tuple(key for key in FIXED if attrgetter(key)(now) != attrgetter(key)(fresh))
