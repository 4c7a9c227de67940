"""Downloads whose values cannot be true: thrown away and taken anew, a few times.

GRIB has no checksum, so whoever decodes a file may be the first to see that it is damaged. What was
thrown away is remembered beside the cache, across restarts: all the same bytes again, or bad ones
for the third time, and the fault is not the way here.
"""

import hashlib
import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from render_farm.domain.fields import MessageKey
from render_farm.domain.grib2 import GribError, field_bytes, walk
from twf_async.fetch.record import Record

MOST = 2  # downloads of an hour that are thrown away
PAUSES_S = (1.0, 60.0)  # before it is asked for again
SAME_BYTES = "the source gives the same bytes again"
OFTEN_ENOUGH = f"bad again after {MOST} fresh downloads"


@dataclass(frozen=True, slots=True)
class Distrusted:
    """What became of a complaint.

    pause_s  how long to wait before asking again; None: it will not get better ...
    reason   ... and why
    """

    pause_s: float | None
    reason: str = ""

    def sooner(self, scale: float) -> "Distrusted":
        """The same with a shorter pause, as rehearsals have it."""
        return self if self.pause_s is None else Distrusted(self.pause_s * scale)


ALREADY = Distrusted(0.0)  # somebody complained before: the files are gone


@dataclass(frozen=True, slots=True)
class Complaints:
    """What was thrown away of one hour: how often, and by their hashes which messages."""

    times: int
    digests: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> "Complaints":
        """Those noted at *path*; none where it cannot be read."""
        try:
            noted = orjson.loads(path.read_bytes())
            return cls(int(noted["times"]), frozenset(map(str, noted["digests"])))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(0, frozenset())

    def write(self, path: Path) -> None:
        """Note them, whole or not at all; OSError."""
        aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        aside.write_bytes(orjson.dumps({"times": self.times, "digests": sorted(self.digests)}))
        aside.replace(path)

    def heard(self, digests: Collection[str]) -> tuple["Complaints", Distrusted]:
        """One more, of messages with these hashes; and what is to be done about it."""
        if not self.digests.isdisjoint(digests):
            return self, Distrusted(None, SAME_BYTES)
        if self.times >= MOST:
            return self, Distrusted(None, OFTEN_ENOUGH)
        more = Complaints(self.times + 1, self.digests.union(digests))
        return more, Distrusted(PAUSES_S[self.times])


def complained(
    noted: Path, records: Iterable[Record], keys: frozenset[MessageKey]
) -> tuple[tuple[Record, ...], Distrusted]:
    """The files to be thrown away because of these fields, and what is to be told.

    noted    where the complaints of their hour are kept
    records  all files of it
    raises   OSError
    """
    held = tuple(record for record in records if not keys.isdisjoint(record.keys))
    if not held:
        return (), ALREADY
    digests = {each for record in held for each in _digests(Path(record.path), keys)}
    # All of them together: of fields that do not go with each other, one may be as it should be.
    whole = {hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()} if digests else set()
    complaints, told = Complaints.read(noted).heard(whole)
    if told.pause_s is None:
        return (), told
    complaints.write(noted)
    return held, told


def _digests(path: Path, keys: frozenset[MessageKey]) -> set[str]:
    """Hashes of the messages of a file that hold these fields; of what can be read of it."""
    found = set()
    with suppress(OSError, GribError), path.open("rb") as stream:
        heads = [head for head in walk(stream) if head.key in keys]
        found = {hashlib.sha256(field_bytes(stream, head)).hexdigest() for head in heads}
    return found
