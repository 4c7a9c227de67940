"""What happened, on disk: runs, hours and frames with state, reason, attempts and timings.

The published tree is the truth about what is online; the ledger remembers how it came there, and
what somebody has asked for. It is never a reason to stop (`LedgerFile`).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from twf_async.ledger.entries import (
    ArrivalEntry,
    AskedEntry,
    FrameEntry,
    FreshnessEntry,
    HourEntry,
    RunEntry,
)
from twf_async.ledger.file import LedgerFile
from twf_async.ledger.rows import (
    ARRIVAL_COLUMNS,
    ASKED_COLUMNS,
    FRAME_COLUMNS,
    FRESHNESS_COLUMNS,
    HOUR_COLUMNS,
    RUN_COLUMNS,
    insert_arrival,
    insert_freshness,
    replace_asked,
    typed,
    typed_asked,
    upsert_frame,
    upsert_hour,
)

ARRIVALS_KEPT = timedelta(days=60)
FRESHNESS_KEPT = timedelta(days=14)
_RUNS = "SELECT DISTINCT cycle FROM arrivals WHERE model = ?1 AND cycle < ?2"


class Ledger(LedgerFile):
    """The notes, by table; each call is one transaction."""

    async def run_started(self, model: str, cycle: str) -> None:
        """A run is being followed (again)."""
        sql = (
            "INSERT INTO runs (model, cycle, state, first_seen_at) VALUES (?, ?, 'running', ?)"
            " ON CONFLICT (model, cycle) DO UPDATE SET state = 'running', ended_at = NULL"
        )
        await self._write((sql, (model, cycle, self._clock.now().timestamp())))

    async def run_ended(self, model: str, cycle: str, state: str) -> None:
        """A run came to its end: complete or partial."""
        await self._write(
            (
                "UPDATE runs SET state = ?, ended_at = ? WHERE model = ? AND cycle = ?",
                (state, self._clock.now().timestamp(), model, cycle),
            )
        )

    async def record_hours(self, entries: Iterable[HourEntry]) -> None:
        """Note hours; what an entry leaves open stays as it was."""
        await self._write(*(upsert_hour(entry) for entry in entries))

    async def record_frames(self, entries: Iterable[FrameEntry]) -> None:
        """Note frames; each time one is noted counts as an attempt."""
        await self._write(*(upsert_frame(entry) for entry in entries))

    async def record_arrivals(self, entries: Iterable[ArrivalEntry]) -> None:
        """Note when hours came. Outlives the runs themselves, but not for ever."""
        oldest = f"{self._clock.now() - ARRIVALS_KEPT:%Y%m%d%H}"
        old = ("DELETE FROM arrivals WHERE cycle < ?", (oldest,))
        if statements := [insert_arrival(entry) for entry in entries]:
            await self._write(*statements, old)

    async def record_freshness(self, entry: FreshnessEntry) -> None:
        """Note how an hour came online. Outlives its run, but not for ever."""
        oldest = (self._clock.now() - FRESHNESS_KEPT).timestamp()
        old = ("DELETE FROM freshness WHERE published_at < ?", (oldest,))
        await self._write(insert_freshness(entry), old)

    async def record_asked(self, entry: AskedEntry) -> None:
        """Note what somebody asks for, so that no end of the service loses it."""
        await self._write(replace_asked(entry))

    async def forget_asked(self, model: str, cycle: str) -> None:
        """What was asked for of a run is there, or will not come."""
        await self._write(("DELETE FROM asked WHERE model = ? AND cycle = ?", (model, cycle)))

    async def forget_run(self, model: str, cycle: str) -> None:
        """Remove a run and everything below it; what was asked for of it too."""
        name = (model, cycle)
        await self._write(
            ("DELETE FROM frames WHERE model = ? AND cycle = ?", name),
            ("DELETE FROM hours WHERE model = ? AND cycle = ?", name),
            ("DELETE FROM runs WHERE model = ? AND cycle = ?", name),
            ("DELETE FROM asked WHERE model = ? AND cycle = ?", name),
        )

    async def runs(self, model: str | None = None) -> tuple[RunEntry, ...]:
        """Runs, newest first; of one model or of all."""
        rows = await self._read(
            f"SELECT {', '.join(RUN_COLUMNS)} FROM runs"  # noqa: S608  # our own column names
            " WHERE ?1 IS NULL OR model = ?1 ORDER BY cycle DESC, model",
            (model,),
        )
        return tuple(RunEntry(*typed(RUN_COLUMNS, row)) for row in rows)

    async def asked(self, model: str) -> tuple[AskedEntry, ...]:
        """What was asked for of a model and has not ended, in the order of asking."""
        rows = await self._read(
            f"SELECT {', '.join(ASKED_COLUMNS)} FROM asked"  # noqa: S608  # as above
            " WHERE model = ? ORDER BY asked_at, cycle",
            (model,),
        )
        entries = []
        for row in rows:
            try:
                entries.append(AskedEntry(*typed_asked(row)))
            except (ValueError, TypeError, OverflowError) as error:  # somebody has edited it
                why = f"what is asked for of {model} {row[1]} is not understood: {error}"
                self._log.warning("ledger.read_failed", reason=why)
        return tuple(entries)

    async def hours(self, model: str, cycle: str) -> tuple[HourEntry, ...]:
        """The hours of a run, rising."""
        rows = await self._read(
            f"SELECT {', '.join(HOUR_COLUMNS)} FROM hours"  # noqa: S608  # as above
            " WHERE model = ? AND cycle = ? ORDER BY hour",
            (model, cycle),
        )
        return tuple(HourEntry(*typed(HOUR_COLUMNS, row)) for row in rows)

    async def peaks(self) -> dict[str, float]:
        """Model -> the most memory that an hour of its took to draw, MB, of the runs kept."""
        rows = await self._read(
            "SELECT model, MAX(peak_rss_mb) FROM hours WHERE peak_rss_mb > 0 GROUP BY model", ()
        )
        return {model: float(peak) for model, peak in rows}

    async def frames(self, model: str, cycle: str) -> tuple[FrameEntry, ...]:
        """The frames of a run, by hour, region and product."""
        rows = await self._read(
            f"SELECT {', '.join(FRAME_COLUMNS)} FROM frames"  # noqa: S608  # as above
            " WHERE model = ? AND cycle = ? ORDER BY hour, region, product",
            (model, cycle),
        )
        return tuple(FrameEntry(*typed(FRAME_COLUMNS, row)) for row in rows)

    async def arrivals(self, model: str, cycle: str, *, runs: int) -> tuple[ArrivalEntry, ...]:
        """When the hours of a run came, and those of the *runs* before it.

        Of the runs at the same time of day, and of all: as many each.
        """
        rows = await self._read(
            f"SELECT {', '.join(ARRIVAL_COLUMNS)} FROM arrivals WHERE model = ?1 AND ("  # noqa: S608  # as above
            f" cycle = ?2 OR cycle IN ({_RUNS} ORDER BY cycle DESC LIMIT ?3)"
            f" OR cycle IN ({_RUNS} AND substr(cycle, 9) = substr(?2, 9)"
            " ORDER BY cycle DESC LIMIT ?3)) ORDER BY cycle, hour",
            (model, cycle, runs),
        )
        return tuple(ArrivalEntry(*typed(ARRIVAL_COLUMNS, row)) for row in rows)

    async def freshness(self, since: datetime) -> tuple[FreshnessEntry, ...]:
        """How the hours came online that did so from *since* on, in that order."""
        rows = await self._read(
            f"SELECT {', '.join(FRESHNESS_COLUMNS)} FROM freshness"  # noqa: S608  # as above
            " WHERE published_at >= ? ORDER BY published_at",
            (since.timestamp(),),
        )
        return tuple(FreshnessEntry(*typed(FRESHNESS_COLUMNS, row)) for row in rows)
