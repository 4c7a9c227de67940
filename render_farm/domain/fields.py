"""What a product asks of a run, and the exact GRIB messages that answer it.

Owns the grammar of the `fields` entries in products.toml and the wgrib2 wording of a message
(`VAR:level:forecast`). Knows nothing of files, URLs or arrays. Plan, fetch and decode all select
messages by `MessageKey`, so that 2 hPa is never taken for 2 m and a bucket never for a total.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Statistic(StrEnum):
    """How a field is processed over its time window (GRIB2 code table 4.10)."""

    INSTANT = "instant"
    ACCUMULATION = "acc"
    AVERAGE = "ave"
    MAXIMUM = "max"
    MINIMUM = "min"


class Window(StrEnum):
    """Which stretch of the run a field covers, relative to the hour that is drawn."""

    INSTANT = "instant"
    RUN = "run"  # 0-H, or 0-(H-n)
    BUCKET = "bucket"  # the model's bucket that ends at H
    BUCKETS = "buckets"  # every bucket from 0 to H


@dataclass(frozen=True, slots=True, order=True)
class MessageKey:
    """One GRIB field of one run, exactly.

    parameter  NCEP abbreviation as wgrib2 prints it ("TMP")
    level      wgrib2 level text ("2 m above ground")
    start_h, end_h  window in hours from the cycle; equal for an instant
    """

    parameter: str
    level: str
    start_h: int
    end_h: int
    statistic: Statistic

    @property
    def forecast(self) -> str:
        """The sixth field of an idx line, by the rules of wgrib2's Ftime1.c.

        An interval is printed in days if and only if its start and its length are whole days.
        """
        if self.statistic is Statistic.INSTANT:
            return "anl" if self.end_h == 0 else f"{self.end_h} hour fcst"
        start, end, unit = self.start_h, self.end_h, "hour"
        if start % 24 == 0 and (end - start) % 24 == 0:
            start, end, unit = start // 24, end // 24, "day"
        return f"{start}-{end} {unit} {self.statistic} fcst"

    def __str__(self) -> str:
        return f"{self.parameter}:{self.level}:{self.forecast}"


_WINDOW = re.compile(
    r"(?P<run>0-(?:H|\(H-(?P<back>\d+)\)))|(?P<buckets>buckets)|(?P<bucket>bucket)"
)


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field as a product asks for it, before an hour is chosen.

    Written `VAR:level` for an instant, else `VAR:level:WINDOW STATISTIC` where WINDOW is
    `0-H` (run total), `0-(H-6)` (run total six hours earlier), `bucket` (the model's bucket
    that ends at H) or `buckets` (every bucket from 0 to H) and STATISTIC acc, ave, max or min.
    `VAR:level:buckets instant` is the instant at the end of every bucket: one field beside each
    of `buckets`, in the same files.
    """

    parameter: str
    level: str
    window: Window = Window.INSTANT
    statistic: Statistic = Statistic.INSTANT
    back_h: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a products.toml entry; ValueError names what is wrong with it."""
        parts = text.split(":")
        if len(parts) not in {2, 3} or not all(part.strip() == part != "" for part in parts):
            raise ValueError(
                f"field {text!r} is not of the form 'VAR:level' or 'VAR:level:WINDOW STATISTIC'"
            )
        if len(parts) == 2:
            return cls(parts[0], parts[1])
        window_text, _, statistic_text = parts[2].partition(" ")
        match = _WINDOW.fullmatch(window_text)
        if match is None:
            raise ValueError(
                f"field {text!r}: window {window_text!r} is none of 0-H, 0-(H-n), bucket, buckets"
            )
        window = Window(next(k for k in ("run", "buckets", "bucket") if match[k]))
        allowed = [s for s in Statistic if s is not Statistic.INSTANT or window is Window.BUCKETS]
        if statistic_text not in allowed:
            words = ", ".join(sorted(allowed))
            raise ValueError(f"field {text!r}: {statistic_text!r} is none of {words}")
        statistic = Statistic(statistic_text)
        return cls(parts[0], parts[1], window, statistic, int(match["back"] or 0))

    def messages(self, hour: int, bucket_h: int) -> tuple[tuple[int, MessageKey], ...] | None:
        """The messages that answer this field at *hour*, each with the hour of the file it is in.

        None: the field cannot exist at this hour (a total at hour 0). An empty tuple: the window
        is empty and counts as zero (the total six hours before hour 6).
        """
        match self.window:
            case Window.INSTANT:
                return ((hour, self._key(hour, hour)),)
            case Window.RUN:
                end = hour - self.back_h
                if hour == 0 or end < 0:
                    return None
                return ((end, self._key(0, end)),) if end else ()
            case Window.BUCKET:
                return (self.bucket(hour, bucket_h),) if hour else None
            case Window.BUCKETS:
                return self._buckets(hour, bucket_h) if hour else None

    def bucket(self, hour: int, bucket_h: int) -> tuple[int, MessageKey]:
        """The last of `buckets` at *hour*, not 0; the others are those of earlier hours."""
        instant = self.statistic is Statistic.INSTANT
        return hour, self._key(hour if instant else bucket_start(hour, bucket_h), hour)

    def _buckets(self, hour: int, bucket_h: int) -> tuple[tuple[int, MessageKey], ...]:
        ends = (*range(bucket_h, hour, bucket_h), hour)
        return tuple(self.bucket(end, bucket_h) for end in ends)

    def _key(self, start_h: int, end_h: int) -> MessageKey:
        return MessageKey(self.parameter, self.level, start_h, end_h, self.statistic)


def bucket_start(hour: int, bucket_h: int) -> int:
    """The first hour of the bucket that ends at *hour*."""
    return bucket_h * ((hour - 1) // bucket_h)
