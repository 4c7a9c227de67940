"""The demo's file tree: GFS, AIGFS and HRRR runs of the last two days that nobody computed.

Sizes and .idx files are arithmetic: every message has a fixed room (see `inventory`), so listing a
run or reading its inventories makes no field. A filter answer is computed for its box alone. The
bytes of a static file are made message by message, when a range that touches them is read, packed
as real files are, and kept below the cache directory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from twf_async.replica.atmosphere.atmosphere import Atmosphere
from twf_async.replica.atmosphere.inventory import Message, file_messages, idx, messages, size
from twf_async.replica.atmosphere.messages import cut, whole
from twf_async.replica.atmosphere.models import MODELS, Model, ModelFile, file_at
from twf_async.replica.atmosphere.store import Store
from twf_async.replica.hits import SaysNow
from twf_async.replica.release import PLANS
from twf_async.replica.tree import COM, CropBox, Entry, FileMessage

_KEPT = timedelta(hours=48)
_CHUNK = 1 << 20
_IDX = ".idx"
_PLANS = {plan.tree.partition("/")[0]: plan for plan in PLANS}


class SyntheticTree:
    """A `FileTree` of the synthetic atmosphere.

    clock      the newest runs are those that have begun by its time
    cache_dir  where messages of static files are kept; made when needed
    """

    def __init__(self, clock: SaysNow, cache_dir: Path) -> None:
        self._clock = clock
        self._store = Store(cache_dir)
        self._atmosphere = Atmosphere()

    def listdir(self, path: str) -> list[Entry] | None:
        """See FileTree."""
        found: dict[str, Entry] = {}
        for run in self._runs():
            if run.folder == path:
                for file in run.files():
                    for entry in (_grib_entry(file), _idx_entry(file)):
                        found[entry.name] = entry
            elif run.folder.startswith(f"{path.rstrip('/')}/"):
                name = run.folder[len(path.rstrip("/")) + 1 :].partition("/")[0]
                found.setdefault(name, _directory(name, run.cycle))
        return list(found.values()) or None

    def stat(self, path: str) -> Entry | None:
        """See FileTree."""
        file = self._file(path.removesuffix(_IDX))
        if file is not None:
            return _idx_entry(file) if path.endswith(_IDX) else _grib_entry(file)
        for run in self._runs():
            if f"{run.folder}/".startswith(f"{path.rstrip('/')}/"):
                return _directory(path.rpartition("/")[2], run.cycle)
        return None

    def open_range(self, path: str, start: int, end: int) -> Iterator[bytes]:
        """See FileTree."""
        file = self._file(path.removesuffix(_IDX))
        if file is None:
            raise FileNotFoundError(path)
        if path.endswith(_IDX):
            yield idx(file)[start:end]
            return
        for number, message in enumerate(messages(file)):
            first = max(start - message.offset, 0)
            after = min(end - message.offset, message.length)
            if first >= after:
                continue
            data = self._store.message(
                path.removeprefix(f"{COM}/"),
                number,
                lambda message=message: whole(self._atmosphere, file, message),  # type: ignore[misc]
            )
            for at in range(first, after, _CHUNK):
                yield data[at : min(at + _CHUNK, after)]

    def messages(self, path: str) -> tuple[FileMessage, ...] | None:
        """See FileTree."""
        file = self._file(path)
        return None if file is None else file_messages(file)

    def cropped(self, path: str, messages: Sequence[FileMessage], box: CropBox) -> Iterator[bytes]:
        """See FileTree."""
        file = self._file(path)
        if file is None:
            raise FileNotFoundError(path)
        yield from cut(self._atmosphere, file, _of(file, messages), box)

    def _file(self, path: str) -> ModelFile | None:
        if not path.startswith(f"{COM}/"):
            return None
        file = file_at(path.removeprefix(f"{COM}/"))
        if file is None or not self._first() <= file.cycle <= self._clock.now():
            return None
        return file

    def _first(self) -> datetime:
        return self._clock.now() - _KEPT

    def _runs(self) -> Iterator["_Run"]:
        """Yield every run that is kept, the newest first."""
        now = self._clock.now().replace(minute=0, second=0, microsecond=0)
        for model in MODELS:
            cycle = now - timedelta(hours=now.hour % model.cycle_h)
            while cycle >= self._first():
                yield _Run(model, cycle)
                cycle -= timedelta(hours=model.cycle_h)


@dataclass(frozen=True, slots=True)
class _Run:
    """One cycle of a model, and the directory that its files are in."""

    model: Model
    cycle: datetime

    @property
    def folder(self) -> str:
        below = f"{self.model.day}/{self.model.folder}"
        return f"{COM}/" + below.format(date=f"{self.cycle:%Y%m%d}", cc=f"{self.cycle:%H}")

    def files(self) -> Iterator[ModelFile]:
        for hour in self.model.hours_of(self.cycle):
            for part, _ in self.model.files:
                yield ModelFile(self.model, self.cycle, hour, part)


def _of(file: ModelFile, wanted: Sequence[FileMessage]) -> list[Message]:
    """Return the room's own messages: an .idx line names one by its offset."""
    by_offset = {message.offset: message for message in messages(file)}
    return [by_offset[message.offset] for message in wanted]


def _mtime(file: ModelFile) -> datetime:
    return _PLANS[file.model.key].complete(file.cycle, file.hour)


def _grib_entry(file: ModelFile) -> Entry:
    return Entry(file.name, is_dir=False, size=size(file), mtime=_mtime(file))


def _idx_entry(file: ModelFile) -> Entry:
    return Entry(f"{file.name}{_IDX}", is_dir=False, size=len(idx(file)), mtime=_mtime(file))


def _directory(name: str, cycle: datetime) -> Entry:
    return Entry(name, is_dir=True, size=0, mtime=cycle)
