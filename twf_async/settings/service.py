"""The sections of service.toml, one model each. A part of the service receives its own section."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from render_farm.domain.entries import Frozen, Line
from twf_async.settings.quantities import (
    Amount,
    Connections,
    Moment,
    Percent,
    Place,
    Port,
    Share,
    Speed,
    Whole,
    Workers,
    is_http,
    is_loopback,
    is_origin,
    is_scheduler,
)

POLITE_PER_MIN = 100


class UpstreamSettings(Frozen):
    """The other side: where it is and how politely it is asked."""

    nomads_url: str = "https://nomads.ncep.noaa.gov"
    aws_url: str = "auto"  # "auto": each model's own bucket; "": no fall-back
    multi_range: bool = True  # several byte ranges in one request to NOMADS; never to a mirror
    contact: Line = ""  # goes into the User-Agent
    requests_per_min: Whole = 60
    connections: Connections = 6
    connections_per_model: Connections = 3  # the answers of an hour
    connect_timeout_s: Amount = 10.0
    read_timeout_s: Amount = 30.0
    fallback_after_min: Amount = 15.0

    @field_validator("nomads_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if not is_http(value):
            raise ValueError(f"{value!r} is no address; write it as 'https://host'")
        return value.rstrip("/")

    @field_validator("aws_url")
    @classmethod
    def _is_mirror(cls, value: str) -> str:
        if value not in {"", "auto"} and not is_http(value):
            raise ValueError(
                f"{value!r} is no address; write it as 'https://host', 'auto' for each model's own"
                " mirror, '' for none"
            )
        return value

    @property
    def lacks_contact(self) -> bool:
        """Whether NOAA is asked by somebody who does not say who he is."""
        host = urlsplit(self.nomads_url).hostname or ""
        return not self.contact.strip() and f".{host}".endswith(".noaa.gov")

    @model_validator(mode="after")
    def _polite(self) -> Self:
        # NOMADS blocks an address for up to an hour above 120; our own machine does not mind.
        if self.requests_per_min > POLITE_PER_MIN and not is_loopback(self.nomads_url):
            raise ValueError(
                f"requests_per_min is {self.requests_per_min}, but never above {POLITE_PER_MIN}:"
                " NOMADS blocks whoever asks too often"
            )
        return self


class FetchSettings(Frozen):
    """How work is fetched."""

    mode: Literal["progressive", "batch"] = "progressive"
    ahead_hours: Whole = 6  # hours fetched but not yet rendered, per model
    allow_full: bool = False
    attempts: Whole = 5
    budget_mb_per_hour: Amount = 800.0  # received for one forecast hour ...
    budget_mb_per_run: Amount = 12_000.0  # ... and for a run; then no more of it is fetched


class CacheSettings(Frozen):
    """How long downloads are kept, and the totals that workers go on with."""

    max_age_hours: Amount = 6.0
    max_gb: Amount = 8.0


class FarmSettings(Frozen):
    """Where maps are drawn, by how many workers, and what each may cost."""

    backend: Literal["local", "dask"] = "local"
    scheduler: str = ""  # of dask, "tcp://host:8786"
    ship_limit_mb: Amount = 300.0  # messages of one job that are sent to a dask worker
    workers: Workers | Literal["auto"] = "auto"
    reserve_gb: Amount = 1.0  # left to the rest of the machine by "auto"
    worker_gb: Amount = 0.4  # what a worker is counted with before its model's jobs told
    worker_limit_gb: Amount = 1.5  # what one may allocate; a job that wants more fails
    recycle_above_gb: Amount = 0.3  # a worker that holds more after a job is replaced (PSS)
    max_workers: Workers = 4
    job_timeout_s: Amount = 120.0
    max_tasks_per_child: Whole = 50
    drain_s: Amount = 8.0

    @model_validator(mode="after")
    def _finds_its_scheduler(self) -> Self:
        if self.backend == "dask" and not is_scheduler(self.scheduler):
            raise ValueError(
                f"scheduler is {self.scheduler!r}, but backend is 'dask'; write it as"
                " 'tcp://host:8786', or 'tls://..' where dask is set up for TLS"
            )
        return self


class WatchdogSettings(Frozen):
    """When memory and disk are too short to go on. Memory in fractions of its limit."""

    interval_s: Amount = 2.0
    pause_below: Share = 0.10
    resume_above: Share = 0.20
    critical_below: Share = 0.05
    memory_stall_pct: Percent = 10.0  # PSI; work resumes below half of it
    io_stall_pct: Percent = 60.0  # PSI, or I/O wait where there is none; likewise
    swap_used_pct: Percent = 90.0
    calm_s: Amount = 15.0  # how long it must be well again before work resumes
    starved_s: Amount = 60.0  # paused for so long with nothing running: one job goes on
    recycle_after_s: Amount = 10.0  # memory low: the largest idle worker is replaced
    shrink_after_s: Amount = 30.0  # memory critical: one slot less
    hand_back_after_s: Amount = 60.0  # still critical: the newest of several jobs waits
    grow_after_s: Amount = 300.0  # memory ample: one slot more, up to what was configured
    stuck_after_s: Amount = 300.0  # a part so much later than it said: a start is asked for
    disk_warn_gb: Amount = 10.0
    disk_floor_gb: Amount = 2.0  # below the larger of the two nothing new is fetched
    disk_floor_share: Share = 0.05

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

    keep_runs: Whole = 4


class WebSettings(Frozen):
    """The HTTP side."""

    host: Line = "127.0.0.1"
    port: Port = 8000  # 0: any that is free
    allow_origin: Line = "*"

    @field_validator("host")
    @classmethod
    def _is_somewhere(cls, value: str) -> str:
        if not value:
            raise ValueError(
                "it is empty; write the address to listen at, '0.0.0.0' for all of the machine"
            )
        return value

    @field_validator("allow_origin")
    @classmethod
    def _is_origin(cls, value: str) -> str:
        # Browsers compare it to the letter with what they call a page's origin, and take one.
        if value not in {"", "*"} and not is_origin(value):
            raise ValueError(
                f"{value!r} is no site; write it as browsers do, 'https://host' or"
                " 'http://host:8080', '*' for every one, '' for none"
            )
        return value


class LogSettings(Frozen):
    """Log lines on stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class ClockSettings(Frozen):
    """Another time, for rehearsals against a replica."""

    start: Moment | None = None
    speed: Speed = 1.0
    upstream_speed: Speed | None = None  # of the replica's own clock; None: the same as ours

    @property
    def is_upstreams(self) -> bool:
        """Whether a time of the other side (Last-Modified) and one of ours can be compared."""
        return self.upstream_speed in {None, self.speed}


class ServiceSettings(Frozen):
    """service.toml, whole."""

    state_dir: Place = Path("var/state")
    cache_dir: Place = Path("var/cache")
    publish_dir: Place = Path("var/publish")
    notice: Line = ""  # into every title, as "synthetic demo data"
    upstream: UpstreamSettings = UpstreamSettings()
    fetch: FetchSettings = FetchSettings()
    cache: CacheSettings = CacheSettings()
    farm: FarmSettings = FarmSettings()
    watchdog: WatchdogSettings = WatchdogSettings()
    publish: PublishSettings = PublishSettings()
    web: WebSettings = WebSettings()
    logs: LogSettings = LogSettings()
    clock: ClockSettings = ClockSettings()
