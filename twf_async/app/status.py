"""How the service is, gathered from its parts: /api/v1/status, `twf-async status`, readiness.

docs/operations.md describes the document; its keys are a contract with whoever reads them.
"""

import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from render_farm.domain.models import Model
from twf_async import __version__
from twf_async.app.assembly import Parts
from twf_async.app.desk import Desk
from twf_async.app.run_status import resting, run_entry
from twf_async.app.upkeep import Upkeep
from twf_async.farm.remote.farm import RemoteFarm
from twf_async.fetch.status import FetchStatus
from twf_async.settings.load import Settings


class Status:
    """Asked by the web for every request; reads, never waits."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        parts: Parts,
        desk: Desk,
        upkeep: Upkeep,
        late: Callable[[], Mapping[str, float]],
    ) -> None:
        """*late*: parts that do not get on, and for how many seconds."""
        self._settings, self._late = settings, late
        self._parts, self._desk, self._upkeep = parts, desk, upkeep
        self._fetch = FetchStatus(parts.fetcher, parts.clock)
        self._started_at: datetime = parts.clock.now()
        self._began_s = time.monotonic()  # the other may be set right meanwhile
        self.reloaded_at: datetime | None = None
        self.reload_fault = ""
        self.restart_needed: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Everything, JSON-ready. Nothing in it is secret: no path, no address, no contact."""
        parts, now = self._parts, self._parts.clock.now()
        farm = parts.farm
        models = self._settings().catalog.models
        return {
            "version": __version__,
            "pid": os.getpid(),
            "now": now,
            "started_at": self._started_at,
            "up_s": round(time.monotonic() - self._began_s),
            "reloaded_at": self.reloaded_at,
            "reload_fault": self.reload_fault.replace(f"{self._settings().config_dir}/", ""),
            "restart_needed": list(self.restart_needed),
            "stuck": {part: round(late_s) for part, late_s in self._late().items()},
            "models": {
                key: self._model(models[key], known)
                for key, known in self._desk.status().items()
                if key in models
            },
            "sources": self._fetch.hosts(),
            "farm": farm.status(),
            "queue": {
                "waiting": dict(farm.waiting),
                "held_for_memory": farm.held_for_memory,
            },
            "cluster": farm.cluster_status() if isinstance(farm, RemoteFarm) else None,
            "gate": parts.gate.status(),
            "watchdog": self._upkeep.watchdog.status(),
            "cache": self._upkeep.cleaner.status(),
        }

    def not_ready(self) -> list[str]:
        """Why traffic should not come here yet; empty when it may."""
        reasons = []
        models = self._settings().catalog.enabled_models
        if not any(self._parts.tree.newest(model.key) for model in models):
            reasons.append("no run has anything to show yet")
        if reason := self._upkeep.watchdog.status()["fetch_held"]:
            reasons.append(f"nothing new is fetched: {reason}")
        return reasons

    def _model(self, model: Model, known: dict[str, Any]) -> dict[str, Any]:
        tree = self._parts.tree
        shown = tree.newest(model.key)
        working = known["runs"]
        # Until the other side was asked, and while a pause keeps us from asking: what is here.
        newest = max([known["newest"] or "", *tree.runs(model.key)[:1]]) or None
        runs = {
            cycle: self._run(model.key, cycle, working.get(cycle))
            for cycle in sorted({*working, newest} & set(tree.runs(model.key)))
        }
        return {
            "newest_run": newest,
            "looked_at": known["looked_at"],
            "fault": known["fault"],
            "coming": known["coming"],
            "hours": runs[newest]["hours"] if newest in runs else None,
            "etas": runs[newest]["etas"] if newest in runs else {},
            "runs": runs,
            "asked": known["asked"],
            "shown": shown,
            "shown_run": tree.summary(model.key, shown) if shown else None,
            "freshness": self._parts.freshness.figures(model.key),
            **self._fetch.model(model),
        }

    def _run(self, model: str, cycle: str, working: dict[str, Any] | None) -> dict[str, Any]:
        """A run being worked on, or (*working* None) one that rests."""
        tree = self._parts.tree
        summary = tree.summary(model, cycle)
        if working is None:
            working = resting(summary, {hour for *_, hour in tree.published(model, cycle)})
        return run_entry(
            summary,
            working,
            seen=self._fetch.seen(model, cycle),
            received_bytes=self._fetch.received_bytes(model, cycle),
        )
