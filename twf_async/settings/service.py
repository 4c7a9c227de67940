"""The sections of service.toml, one model each. A part of the service receives its own section."""

from datetime import datetime
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from render_farm.domain.places import Frozen

POLITE_PER_MIN = 100


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}


class UpstreamSettings(Frozen):
    """The other side: where it is and how politely it is asked."""

    nomads_url: str = "https://nomads.ncep.noaa.gov"
    aws_url: str = "auto"  # "auto": each model's own bucket; "": no fall-back
    multi_range: bool = True  # several byte ranges in one request to NOMADS; never to a mirror
    contact: str = ""  # goes into the User-Agent
    requests_per_min: PositiveInt = 60
    connections: PositiveInt = Field(default=6, le=16)  # two for each model
    connections_per_model: PositiveInt = Field(default=2, le=16)
    connect_timeout_s: PositiveFloat = 10.0
    read_timeout_s: PositiveFloat = 30.0
    fallback_after_min: PositiveFloat = 15.0

    @field_validator("nomads_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")) or not urlsplit(value).hostname:
            raise ValueError(f"{value!r} is no address; write it as 'https://host'")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _polite(self) -> Self:
        # NOMADS blocks an address for up to an hour above 120; our own machine does not mind.
        if self.requests_per_min > POLITE_PER_MIN and not _is_loopback(self.nomads_url):
            raise ValueError(
                f"requests_per_min is {self.requests_per_min}, but never above {POLITE_PER_MIN}:"
                " NOMADS blocks whoever asks too often"
            )
        return self


class FetchSettings(Frozen):
    """How work is fetched."""

    mode: Literal["progressive", "batch"] = "progressive"
    ahead_hours: PositiveInt = 6  # hours fetched but not yet rendered, per model
    allow_full: bool = False
    attempts: PositiveInt = 5
    budget_mb_per_hour: PositiveFloat = 800.0  # received for one forecast hour ...
    budget_mb_per_run: PositiveFloat = 12_000.0  # ... and for a run; then no more of it is fetched


class CacheSettings(Frozen):
    """How long downloads are kept, and the totals that workers go on with."""

    max_age_hours: PositiveFloat = 6.0
    max_gb: PositiveFloat = 8.0


class FarmSettings(Frozen):
    """Where maps are drawn, by how many workers, and what each may cost."""

    backend: Literal["local", "dask"] = "local"
    scheduler: str = ""  # of dask, "tcp://host:8786"
    ship_limit_mb: PositiveFloat = 300.0  # messages of one job that are sent to a dask worker
    workers: PositiveInt | Literal["auto"] = "auto"
    reserve_gb: PositiveFloat = 1.0  # left to the rest of the machine by "auto"
    worker_gb: PositiveFloat = 0.4  # what a worker is counted with before its model's jobs told
    worker_limit_gb: PositiveFloat = 1.5  # what one may allocate; a job that wants more fails
    recycle_above_gb: PositiveFloat = 0.3  # a worker that holds more after a job is replaced (PSS)
    max_workers: PositiveInt = 4
    job_timeout_s: PositiveFloat = 120.0
    max_tasks_per_child: PositiveInt = 50
    drain_s: PositiveFloat = 8.0

    @model_validator(mode="after")
    def _finds_its_scheduler(self) -> Self:
        address = urlsplit(self.scheduler)
        known = (
            address.scheme in {"tcp", "tls"} and address.hostname and address.netloc[-1].isdigit()
        )
        if self.backend == "dask" and not known:
            raise ValueError(
                f"scheduler is {self.scheduler!r}, but backend is 'dask'; write it as"
                " 'tcp://host:8786', or 'tls://..' where dask is set up for TLS"
            )
        return self


class WatchdogSettings(Frozen):
    """When memory and disk are too short to go on. Memory in fractions of its limit."""

    interval_s: PositiveFloat = 2.0
    pause_below: float = Field(default=0.10, gt=0, lt=1)
    resume_above: float = Field(default=0.20, gt=0, lt=1)
    critical_below: float = Field(default=0.05, gt=0, lt=1)
    memory_stall_pct: PositiveFloat = 10.0  # PSI; work resumes below half of it
    io_stall_pct: PositiveFloat = 60.0  # PSI, or I/O wait where there is none; likewise
    swap_used_pct: PositiveFloat = 90.0
    calm_s: PositiveFloat = 15.0  # how long it must be well again before work resumes
    starved_s: PositiveFloat = 60.0  # paused for so long with nothing running: one job goes on
    recycle_after_s: PositiveFloat = 10.0  # memory low: the largest idle worker is replaced
    shrink_after_s: PositiveFloat = 30.0  # memory critical: one slot less
    hand_back_after_s: PositiveFloat = 60.0  # still critical: the newest of several jobs waits
    grow_after_s: PositiveFloat = 300.0  # memory ample: one slot more, up to what was configured
    disk_warn_gb: PositiveFloat = 10.0
    disk_floor_gb: PositiveFloat = 2.0  # below the larger of the two nothing new is fetched
    disk_floor_share: float = Field(default=0.05, gt=0, lt=1)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if not self.critical_below < self.pause_below < self.resume_above:
            raise ValueError(
                "critical_below, pause_below and resume_above must rise, but are"
                f" {self.critical_below}, {self.pause_below}, {self.resume_above}"
            )
        return self


class PublishSettings(Frozen):
    """How much is kept online."""

    keep_runs: PositiveInt = 4


class WebSettings(Frozen):
    """The HTTP side."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    allow_origin: str = "*"


class LogSettings(Frozen):
    """Log lines on stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class ClockSettings(Frozen):
    """Another time, for rehearsals against a replica."""

    start: datetime | None = None
    speed: PositiveFloat = 1.0


class ServiceSettings(Frozen):
    """service.toml, whole."""

    state_dir: Path = Path("var/state")
    cache_dir: Path = Path("var/cache")
    publish_dir: Path = Path("var/publish")
    notice: str = ""  # into every title, as "synthetic demo data"
    upstream: UpstreamSettings = UpstreamSettings()
    fetch: FetchSettings = FetchSettings()
    cache: CacheSettings = CacheSettings()
    farm: FarmSettings = FarmSettings()
    watchdog: WatchdogSettings = WatchdogSettings()
    publish: PublishSettings = PublishSettings()
    web: WebSettings = WebSettings()
    logs: LogSettings = LogSettings()
    clock: ClockSettings = ClockSettings()
