"""How the service is, gathered from its parts: /api/v1/status and readiness."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from twf_async import __version__
from twf_async.app.assembly import Parts
from twf_async.app.desk import Desk
from twf_async.settings.load import Settings
from twf_async.upkeep.watchdog import Watchdog


class Status:
    """Asked by the web for every request; reads, never waits."""

    def __init__(
        self, settings: Callable[[], Settings], parts: Parts, desk: Desk, watchdog: Watchdog
    ) -> None:
        self._settings = settings
        self._parts, self._desk, self._watchdog = parts, desk, watchdog
        self._started_at: datetime = parts.clock.now()
        self.reloaded_at: datetime | None = None
        self.reload_fault = ""

    def document(self) -> dict[str, Any]:
        """Everything, JSON-ready."""
        parts = self._parts
        return {
            "version": __version__,
            "now": parts.clock.now(),
            "started_at": self._started_at,
            "reloaded_at": self.reloaded_at,
            "reload_fault": self.reload_fault,
            "models": {key: self._model(key, known) for key, known in self._desk.status().items()},
            "farm": parts.farm.status(),
            "gate": parts.gate.status(),
            "watchdog": self._watchdog.status(),
            "fetch": parts.fetcher.status(),
        }

    def _model(self, key: str, known: dict[str, object]) -> dict[str, object]:
        tree = self._parts.tree
        shown = tree.newest(key)
        return {
            **known,
            "shown": shown,
            "shown_run": tree.summary(key, shown) if shown else None,
        }

    def not_ready(self) -> list[str]:
        """Why traffic should not come here yet; empty when it may."""
        reasons = []
        models = self._settings().catalog.enabled_models
        if not any(self._parts.tree.newest(model.key) for model in models):
            reasons.append("no run has anything to show yet")
        if reason := self._watchdog.status()["fetch_held"]:
            reasons.append(f"nothing new is fetched: {reason}")
        return reasons
