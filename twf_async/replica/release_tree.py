"""A tree whose files appear as on NOMADS: hour by hour, growing, the .idx last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from twf_async.replica.hits import SaysNow
from twf_async.replica.release import PLANS, ReleasePlan
from twf_async.replica.tree import COM, CropBox, Entry, FileMessage, FileTree


@dataclass(frozen=True, slots=True)
class _Shown:
    """What of a file is there: share 0..1 of its bytes, and its Last-Modified."""

    share: float
    mtime: datetime


class ReleaseTree:
    """Shows of *tree* what is out at the clock's time; files of no plan are always out."""

    def __init__(
        self, tree: FileTree, clock: SaysNow, plans: Sequence[ReleasePlan] = PLANS
    ) -> None:
        self._tree = tree
        self._clock = clock
        self._plans = {plan.tree: plan for plan in plans}

    def listdir(self, path: str) -> list[Entry] | None:
        """See FileTree. PermissionError for a directory that has aged out."""
        now = self._clock.now()
        plan = self._plan(path)
        self._refuse_closed(plan, path, now)
        entries = self._tree.listdir(path)
        if entries is None or plan is None:
            return entries
        if not self._any_file(plan, path, entries, now):
            return None if path != f"{COM}/{plan.tree}" else []
        shown = (self._entry(plan, f"{path}/{entry.name}", entry, now) for entry in entries)
        return [entry for entry in shown if entry is not None]

    def stat(self, path: str) -> Entry | None:
        """See FileTree. PermissionError for a path in a directory that has aged out."""
        now = self._clock.now()
        plan = self._plan(path)
        self._refuse_closed(plan, path, now)
        if plan is not None and self._hidden(plan, path, now):
            return None
        entry = self._tree.stat(path)
        if entry is None or plan is None or path == f"{COM}/{plan.tree}":
            return entry
        return self._entry(plan, path, entry, now)

    def open_range(self, path: str, start: int, end: int) -> Iterator[bytes]:
        """See FileTree; a growing file ends where it has grown to."""
        entry = self.stat(path)
        if entry is None:
            raise FileNotFoundError(path)
        yield from self._tree.open_range(path, start, min(end, entry.size))

    def messages(self, path: str) -> tuple[FileMessage, ...] | None:
        """See FileTree; None until the file is complete and its .idx is out."""
        now = self._clock.now()
        plan = self._plan(path)
        self._refuse_closed(plan, path, now)
        if plan is not None and plan.read(path) is not None:
            grib, idx = _shown(plan, path, now), _shown(plan, f"{path}.idx", now)
            if grib is None or grib.share < 1.0 or idx is None:
                return None
        return self._tree.messages(path)

    def cropped(self, path: str, messages: Sequence[FileMessage], box: CropBox) -> Iterator[bytes]:
        """See FileTree."""
        return self._tree.cropped(path, messages, box)

    def _plan(self, path: str) -> ReleasePlan | None:
        names = path.removeprefix(f"{COM}/").split("/")
        return self._plans.get("/".join(names[:2])) if path.startswith(f"{COM}/") else None

    @staticmethod
    def _refuse_closed(plan: ReleasePlan | None, path: str, now: datetime) -> None:
        if plan is not None and plan.closed(path, now):
            raise PermissionError(path)

    @staticmethod
    def _hidden(plan: ReleasePlan, path: str, now: datetime) -> bool:
        return plan.read(path) is not None and _shown(plan, path, now) is None

    def _entry(self, plan: ReleasePlan, path: str, entry: Entry, now: datetime) -> Entry | None:
        """Return *entry* as it is at *now*; None while it is not out, or no longer."""
        if plan.closed(path, now):
            return None
        if entry.is_dir:
            below = self._tree.listdir(path)
            return entry if below and self._any_file(plan, path, below, now) else None
        if plan.read(path) is None:
            return entry
        shown = _shown(plan, path, now)
        if shown is None:
            return None
        return replace(entry, size=int(entry.size * shown.share), mtime=shown.mtime)

    def _any_file(
        self, plan: ReleasePlan, path: str, entries: Sequence[Entry], now: datetime
    ) -> bool:
        """Say whether anything below directory *path* is out: NOMADS makes directories late."""
        for entry in entries:
            child = f"{path}/{entry.name}"
            if entry.is_dir:
                below = self._tree.listdir(child)
                if below and self._any_file(plan, child, below, now):
                    return True
            elif not self._hidden(plan, child, now):
                return True
        return False


def _shown(plan: ReleasePlan, path: str, now: datetime) -> _Shown | None:
    """Tell how much of a file of the plan is out; None for nothing yet."""
    file = plan.read(path)
    if file is None:
        return None
    complete = plan.complete(file.cycle, file.hour)
    if file.is_idx:
        out = complete + timedelta(seconds=plan.idx_lag_s)
        return _Shown(1.0, out) if now >= out else None
    if now >= complete:
        return _Shown(1.0, complete)
    written_s = plan.write_s - (complete - now).total_seconds()
    if written_s <= 0.0:
        return None
    return _Shown(written_s / plan.write_s, now.replace(microsecond=0))
