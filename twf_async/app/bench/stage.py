"""Where a run is measured: a service of its own over a loopback NOMADS, with nothing else to do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from twf_async.app.demo_files import NOTICE
from twf_async.pipeline.report import RunRequest
from twf_async.plan.runs import cycle_time
from twf_async.settings.load import Settings

CYCLE = "2026012712"  # of the demo files: a winter storm on the west coast
ALL_OUT = timedelta(hours=6)  # every hour of every model's run is there
FOR_EVER = "1000000"


@dataclass(frozen=True, slots=True)
class Stage:
    """What is measured, and with how much.

    others   models that are configured and stay idle
    workers  slots of the farm
    """

    request: RunRequest
    others: tuple[str, ...]
    workers: int

    @classmethod
    def of(cls, settings: Settings, request: RunRequest, workers: int) -> "Stage":
        """For a run under these settings."""
        others = tuple(key for key in settings.catalog.models if key != request.model)
        return cls(request, others, workers)

    @property
    def begins(self) -> str:
        """The service's and the replica's time when they start."""
        return f"{cycle_time(self.request.cycle) + ALL_OUT:%Y-%m-%dT%H:%M:%S}"

    @property
    def name(self) -> str:
        """Of a directory that holds this run's GRIB: the box it is cut to is the regions'."""
        regions = self.request.regions or ("all",)
        return f"{self.request.model}-{self.request.cycle}-{'+'.join(regions)}"

    def environment(
        self, base: Mapping[str, str], root: Path, upstream: str, cache: Path
    ) -> dict[str, str]:
        """The operator's environment, and over it what the measurement needs.

        root   where state and maps go
        cache  where the downloads are; nothing in it is too old
        """
        request = self.request
        own = f"TWF_MODELS__{request.model.upper()}"
        ours = {
            "TWF_STATE_DIR": str(root / "state"),
            "TWF_CACHE_DIR": str(cache),
            "TWF_PUBLISH_DIR": str(root / "publish"),
            "TWF_NOTICE": NOTICE,
            "TWF_UPSTREAM__NOMADS_URL": upstream,
            "TWF_UPSTREAM__REQUESTS_PER_MIN": "6000",  # loopback: there is nobody to be polite to
            "TWF_CACHE__MAX_AGE_HOURS": FOR_EVER,
            "TWF_CACHE__MAX_GB": FOR_EVER,
            "TWF_FARM__WORKERS": str(self.workers),
            "TWF_WEB__PORT": "0",
            "TWF_LOGS__LEVEL": "info",
            "TWF_LOGS__FORMAT": "json",
            "TWF_CLOCK__START": f"{self.begins}Z",
            "TWF_CLOCK__SPEED": "1",
            # This run and no other: the one that would follow is never due.
            f"{own}__CYCLES": json.dumps([cycle_time(request.cycle).hour]),
            f"{own}__ENABLED": "true",
            **{f"TWF_MODELS__{other.upper()}__ENABLED": "false" for other in self.others},
        }
        if request.regions is not None:
            ours[f"{own}__REGIONS"] = json.dumps(request.regions)
        if request.products is not None:
            ours[f"{own}__PRODUCTS"] = json.dumps(request.products)
        if request.hours is not None:
            ours[f"{own}__HOURS"] = ours[f"{own}__LONG_HOURS"] = hours_text(request.hours)
        return {**base, **ours}


def hours_text(hours: tuple[int, ...]) -> str:
    """Hours as the configuration has them: "0,3,6"."""
    return ",".join(map(str, hours))
