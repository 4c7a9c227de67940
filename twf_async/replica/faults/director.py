"""Which faults befall a request: the script, played."""

from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from twf_async.replica.faults.kinds import IDX_FILES
from twf_async.replica.faults.script import Fault, Script, Source
from twf_async.replica.faults.target import Target, meant, meant_file
from twf_async.replica.hits import SaysNow

_RANGE = float(1 << 64)


@dataclass(frozen=True, slots=True)
class Cue:
    """A fault that applies, and the number that its own chances are drawn from."""

    fault: Fault
    luck: int
    since: datetime


class Director:
    """Plays a script.

    Chance is drawn from the seed, the fault's place in the script, the request and how often that
    has been made: the same requests meet the same faults, in whatever order they come.
    """

    def __init__(self, clock: SaysNow, script: Script | None = None) -> None:
        self.clock = clock
        self._listeners: list[Callable[[Script], None]] = []
        self.play(script or Script())

    def on_play(self, listener: Callable[[Script], None]) -> None:
        """Call *listener* with the script of now, and with every other that is set."""
        self._listeners.append(listener)
        listener(self.script)

    def play(self, script: Script) -> None:
        """Begin *script*: nothing has been counted yet, and its seconds start now."""
        self.script = script
        self._since = self.clock.now()
        self._of_files = any(fault.of_files for fault in script.faults)
        self._counts: Counter[tuple[int, str]] = Counter()
        self._made: Counter[str] = Counter()
        # Places of the faults of files that the request in hand meets; None outside a request.
        self._met: ContextVar[frozenset[int] | None] = ContextVar("met", default=None)
        for listener in self._listeners:
            listener(script)

    @property
    def idle(self) -> bool:
        """True where nothing can go wrong."""
        return not self.script.faults

    def cues(self, target: Target) -> tuple[Cue, ...]:
        """Count a request in, and return what befalls its answer."""
        self._made[target.same] += 1
        now, cues, met = self.clock.now(), [], set()
        for place, fault in enumerate(self.script.faults):
            if not self._due(fault, now):
                continue
            if not meant(fault, target):
                # Another file, or a listing: what is next to be met is there to be seen.
                if self._stands(fault, place, target.source):
                    met.add(place)
                continue
            apart = (target.file or target.url) if fault.each_path else ""
            self._counts[place, apart] += 1
            if not self._turn(fault, self._counts[place, apart]):
                continue
            if fault.of_files:
                met.add(place)
                continue
            luck = self._luck(place, f"{target.same} {self._made[target.same]}")
            if luck / _RANGE < fault.probability:
                cues.append(Cue(fault, luck, self._start(fault)))
        self._met.set(frozenset(met))
        return tuple(cues)

    def of_file(self, path: str) -> tuple[Cue, ...]:
        """Return what is wrong with the file or directory at *path* for the request in hand."""
        if not self._of_files:
            return ()
        now, met, cues = self.clock.now(), self._met.get(), []
        for place, fault in enumerate(self.script.faults):
            if not fault.of_files or not self._due(fault, now):
                continue
            if (met is not None and place not in met) or not meant_file(fault, path):
                continue
            if fault.kind in IDX_FILES and not path.endswith(".idx"):
                continue
            luck = self._luck(place, path.removesuffix(".idx"))
            if luck / _RANGE < fault.probability:
                cues.append(Cue(fault, luck, self._start(fault)))
        return tuple(cues)

    def _stands(self, fault: Fault, place: int, source: Source) -> bool:
        """Say whether a fault of the files would be met by the next request that is meant."""
        here = fault.of_files and fault.source in {None, source}
        return here and self._turn(fault, self._counts[place, ""] + 1)

    def _start(self, fault: Fault) -> datetime:
        return self._since if fault.after is None else self._moment(fault.after)

    def _due(self, fault: Fault, now: datetime) -> bool:
        if fault.after is not None and now < self._moment(fault.after):
            return False
        return fault.until is None or now < self._moment(fault.until)

    def _moment(self, when: datetime | float) -> datetime:
        return when if isinstance(when, datetime) else self._since + timedelta(seconds=when)

    def _luck(self, place: int, what: str) -> int:
        text = f"{self.script.seed} {place} {what}".encode()
        return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")

    @staticmethod
    def _turn(fault: Fault, count: int) -> bool:
        """Say whether the *count*-th request that is meant is one that meets the fault."""
        after = count - fault.skip
        if after <= 0 or after % fault.every:
            return False
        return fault.first is None or after // fault.every <= fault.first
