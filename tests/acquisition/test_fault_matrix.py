"""The fault matrix: what goes wrong, what the client does, what the log says.

A row is a way to an hour, the fault that befalls it (docs/replica.md), what the client does about
it, the line of the log that says so, and how many requests that took in all. Whatever arrives is
byte for byte what the same source gives when nothing goes wrong; whatever does not arrive leaves
nothing behind, and arrives when it is asked for again once the fault is over.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

import pytest

from tests.acquisition.fault_bench import (
    AIGFS,
    ATTEMPTS,
    BOTH,
    GFS,
    HRRR,
    MIRROR,
    RANGES,
    SEVERAL,
    SILENCE_S,
)
from twf_async.fetch.errors import (
    Expired,
    FullRefused,
    NotYetPublished,
    Refused,
    SourceError,
    Throttled,
    Unsettled,
)
from twf_async.replica.faults.kinds import Kind
from twf_async.replica.faults.script import Fault


class Does(StrEnum):
    """What the client does."""

    AGAIN = "asks the same again"
    ANEW = "reads the inventory anew, then asks again"
    RESUMES = "goes on where it broke off"
    KEEPS = "keeps what is whole, asks for the rest"
    ONE_BY_ONE = "asks for one range at a time from now on"
    FOLLOWS = "goes where it is sent, on the same host, once"
    TAKES = "takes it as it is"
    LEAVES_OUT = "looks twice, then does without the field"
    FALLS_BACK = "asks the mirror"
    POLLS = "waits for the next poll"
    SETTLES = "lets the file settle"
    PAUSES = "leaves the whole host alone"
    LATER = "gives up for now, and comes back"
    REFUSES = "will not have it"


ARRIVES = {
    *(Does.AGAIN, Does.ANEW, Does.RESUMES, Does.KEEPS, Does.ONE_BY_ONE, Does.FOLLOWS),
    *(Does.TAKES, Does.LEAVES_OUT, Does.FALLS_BACK),
}
ENDS_WITH = {
    Does.POLLS: NotYetPublished,
    Does.SETTLES: Unsettled,
    Does.PAUSES: Throttled,
    Does.LATER: SourceError,
    Does.REFUSES: (Expired, FullRefused, Refused),
}
IDX, GRIB, FILTER = ("idx",), ("grib",), ("filter",)
QUIET = {"silence_s": SILENCE_S}  # the fault is a silence: let the client be impatient
SILENT = {"seconds": 4 * SILENCE_S}
SOON = {"after_min": 1e-9}  # `fallback_after_min`
OLD = {"later_s": 30 * 86_400.0}  # the run is a month old


@dataclass(frozen=True)
class Row:
    """One fault. says: "event: reason" without "fetch.", "" for nothing. asks: requests in all."""

    way: object
    fault: Fault
    does: Does
    says: str
    asks: int
    also: tuple = ()  # faults that belong to it
    lasting: tuple = ()  # those that the truth has as well
    client: dict = field(default_factory=dict)

    @property
    def faults(self):
        return (self.fault, *self.also)

    def __str__(self):
        kinds = "+".join(fault.kind for fault in self.faults)
        on = ",".join(self.fault.on) or "files"
        times = "" if self.fault.first is None else f" x{self.fault.first}"
        status = f" {self.fault.status}" if self.fault.kind is Kind.STATUS else ""
        return f"{self.way}: {kinds}{status} of {on}{times}"


def one(kind, on=(), **how):
    """The first request of its kind meets the fault, and no other."""
    return Fault(kind, on=on, first=1, **how)


BROKEN, TIMED_OUT = "retried: connection broken", "retried: timed out"
NO_IDX, NOT_GRIB = "retried: unusable inventory", "retried: not GRIB"
PAST_END = "retried: inventory points past the end of the file"
UNCLEAR = "retried: several byte ranges not understood"
CLOSED = "directory_forbidden: 403 Forbidden"
OVER = "throttled: 302 Your allowed limit has been reached."

MATRIX = [
    # --- another answer than the file ---------------------------------------------------------
    Row(GFS, one("status", FILTER), Does.AGAIN, "retried: server error", 3),
    Row(GFS, one("status", IDX, status=502), Does.AGAIN, "retried: server error", 3),
    Row(RANGES, one("status", GRIB, status=503), Does.AGAIN, "retried: server error", 4),
    Row(GFS, Fault("status", on=FILTER), Does.LATER, "failed: server error", 1 + ATTEMPTS),
    Row(GFS, Fault("status", on=IDX, status=404), Does.POLLS, "", 1),
    Row(GFS, Fault("status", on=FILTER, status=404), Does.POLLS, "", 2),
    Row(GFS, Fault("status", on=IDX, status=403), Does.POLLS, CLOSED, 1),
    Row(GFS, one("status", IDX, status=429), Does.PAUSES, "throttled: 429", 1),
    Row(GFS, one("status", IDX, status=405), Does.REFUSES, "failed: request refused", 1),
    Row(RANGES, one("slow_down", GRIB), Does.AGAIN, "retried: server error", 4),
    Row(MIRROR, one("slow_down", GRIB), Does.AGAIN, "retried: server error", 4),
    Row(MIRROR, one("slow_down", IDX), Does.AGAIN, "retried: server error", 4),
    Row(GFS, one("limit_302", IDX), Does.PAUSES, OVER, 1),
    Row(GFS, one("limit_302", FILTER), Does.PAUSES, OVER, 2),
    Row(RANGES, one("limit_302", GRIB), Does.PAUSES, OVER, 2),
    Row(GFS, one("limit_200", IDX), Does.PAUSES, "throttled: a page: Over Rate Limit", 1),
    Row(GFS, one("limit_200", FILTER), Does.PAUSES, "throttled: a page: Over Rate Limit", 2),
    Row(RANGES, one("limit_200", GRIB), Does.PAUSES, "throttled: a page: Over Rate Limit", 2),
    Row(GFS, one("block_403", IDX), Does.PAUSES, "throttled: 403 Forbidden: Access Denied", 1),
    Row(RANGES, one("block_403", GRIB), Does.PAUSES, "throttled: 403 Forbidden: Access Denied", 2),
    Row(GFS, one("bare_302", IDX), Does.PAUSES, "throttled: 302 without a Location", 1),
    Row(RANGES, one("bare_302", GRIB), Does.PAUSES, "throttled: 302 without a Location", 2),
    Row(GFS, one("moved_302", IDX), Does.FOLLOWS, "", 3),
    Row(GFS, one("moved_302", FILTER), Does.FOLLOWS, "", 3),
    Row(RANGES, one("moved_302", GRIB), Does.FOLLOWS, "", 4),
    Row(GFS, one("empty_200", IDX), Does.AGAIN, NO_IDX, 3),
    Row(GFS, one("empty_200", FILTER), Does.ANEW, "retried: empty answer", 4),
    Row(RANGES, one("empty_200", GRIB), Does.AGAIN, "retried: byte range ignored", 4),
    Row(GFS, one("html_200", IDX), Does.AGAIN, NOT_GRIB, 3),
    Row(GFS, one("html_200", FILTER), Does.ANEW, NOT_GRIB, 4),
    Row(RANGES, one("html_200", GRIB), Does.ANEW, NOT_GRIB, 5),
    # --- the answer, with other bytes in it ---------------------------------------------------
    Row(RANGES, one("range_ignored", GRIB), Does.AGAIN, "retried: byte range ignored", 4),
    Row(
        RANGES, Fault("range_ignored", on=GRIB), Does.REFUSES,
        "failed: full download refused", 1 + ATTEMPTS,
    ),
    Row(
        BOTH, Fault("range_ignored", on=GRIB, source="nomads"), Does.FALLS_BACK,
        "fell_back: full download refused", 1 + ATTEMPTS + 3,
    ),
    Row(GFS, one("truncate_boundary", FILTER), Does.ANEW, "retried: truncated", 5),
    Row(GFS, one("truncate_inside", FILTER), Does.ANEW, "retried: truncated", 5),
    Row(GFS, one("truncate_inside", IDX), Does.AGAIN, NO_IDX, 3),
    Row(RANGES, one("truncate_inside", GRIB), Does.AGAIN, BROKEN, 4),
    Row(RANGES, one("truncate_boundary", GRIB, skip=1), Does.AGAIN, BROKEN, 4),
    Row(GFS, one("drop_message", FILTER), Does.ANEW, "retried: truncated", 5),
    Row(RANGES, one("drop_message", GRIB, skip=1), Does.AGAIN, BROKEN, 4),
    Row(GFS, one("flip", IDX, count=60), Does.AGAIN, NO_IDX, 3),
    # --- the answer, badly sent ---------------------------------------------------------------
    Row(GFS, one("hang", IDX, **SILENT), Does.AGAIN, TIMED_OUT, 3, client=QUIET),
    Row(GFS, one("hang", FILTER, **SILENT), Does.AGAIN, TIMED_OUT, 3, client=QUIET),
    Row(AIGFS, one("hang", GRIB, **SILENT), Does.AGAIN, TIMED_OUT, 5, client=QUIET),
    Row(GFS, one("disconnect", IDX), Does.AGAIN, "", 3),
    Row(GFS, one("disconnect", FILTER), Does.AGAIN, "", 3),
    Row(RANGES, one("disconnect", GRIB), Does.AGAIN, "", 4),
    Row(GFS, one("reset", IDX), Does.AGAIN, BROKEN, 3),
    Row(GFS, one("reset", FILTER), Does.AGAIN, BROKEN, 3),
    Row(HRRR, one("reset", FILTER), Does.AGAIN, BROKEN, 3),
    Row(RANGES, one("reset", GRIB), Does.RESUMES, BROKEN, 4),
    Row(AIGFS, one("reset", GRIB), Does.RESUMES, BROKEN, 5),
    Row(MIRROR, one("reset", GRIB), Does.RESUMES, BROKEN, 4),
    Row(GFS, one("short", IDX), Does.AGAIN, BROKEN, 3),
    Row(GFS, one("short", FILTER), Does.AGAIN, BROKEN, 3),
    Row(RANGES, one("short", GRIB), Does.RESUMES, BROKEN, 4),
    Row(GFS, one("http10_short", IDX), Does.AGAIN, NO_IDX, 3),
    Row(GFS, one("http10_short", FILTER), Does.ANEW, "retried: truncated", 5),
    Row(RANGES, one("http10_short", GRIB), Does.AGAIN, BROKEN, 4),
    Row(GFS, one("stall", IDX, **SILENT), Does.AGAIN, TIMED_OUT, 3, client=QUIET),
    Row(GFS, one("stall", FILTER, **SILENT), Does.AGAIN, TIMED_OUT, 3, client=QUIET),
    Row(RANGES, one("stall", GRIB, **SILENT), Does.RESUMES, TIMED_OUT, 4, client=QUIET),
    Row(GFS, one("drip", FILTER), Does.AGAIN, TIMED_OUT, 3, client=QUIET),
    Row(GFS, one("drip", FILTER, bytes_per_s=40_000.0), Does.TAKES, "", 2),
    Row(GFS, one("bad_chunk", IDX), Does.AGAIN, BROKEN, 3, client=QUIET),
    Row(GFS, one("bad_chunk", FILTER), Does.AGAIN, BROKEN, 3, client=QUIET),
    # Broken or timed out, as aiohttp happens to notice; in either case nothing of it is kept.
    Row(RANGES, one("bad_chunk", GRIB), Does.AGAIN, "retried: ", 4, client=QUIET),
    Row(GFS, one("cut_chunked", IDX), Does.AGAIN, BROKEN, 3),
    Row(GFS, one("cut_chunked", FILTER), Does.AGAIN, BROKEN, 3),
    Row(RANGES, one("cut_chunked", GRIB), Does.AGAIN, BROKEN, 4),
    # --- the files, wrong for all who ask -----------------------------------------------------
    Row(GFS, Fault("absent"), Does.POLLS, "", 1),
    Row(AIGFS, Fault("absent", path="pres"), Does.POLLS, "", 2),
    Row(MIRROR, Fault("absent"), Does.LATER, "fallback_failed: not yet published", 1),
    Row(GFS, Fault("late", seconds=7200), Does.POLLS, "", 1),
    Row(GFS, Fault("late", on=IDX, seconds=7200), Does.POLLS, "", 1),
    Row(GFS, Fault("late", on=GRIB, seconds=7200), Does.POLLS, "", 2),
    Row(RANGES, Fault("late", on=GRIB, seconds=7200), Does.POLLS, "", 2),
    Row(GFS, Fault("aborted", last_hour=5), Does.POLLS, "", 1),
    Row(GFS, Fault("aged_out"), Does.POLLS, CLOSED, 1),
    Row(GFS, Fault("aged_out"), Does.REFUSES, "failed: no longer on the source", 1, client=OLD),
    Row(
        BOTH, Fault("aged_out", source="nomads"), Does.FALLS_BACK,
        "fell_back: no longer on the source", 4, client=OLD,
    ),
    Row(GFS, Fault("growing", on=GRIB, after=-30.0), Does.POLLS, "", 2),
    Row(RANGES, Fault("growing", on=GRIB, after=-30.0), Does.SETTLES, PAST_END, 4),
    Row(MIRROR, Fault("growing", on=GRIB, after=-30.0), Does.SETTLES, "unsettled: not settled", 2),
    Row(GFS, Fault("truncated", on=GRIB), Does.LATER, "failed: connection broken", 1 + ATTEMPTS),
    Row(
        RANGES, Fault("truncated", on=GRIB), Does.LATER,
        "failed: inventory points past the end of the file", 2 * ATTEMPTS,
    ),
    Row(RANGES, one("truncated", GRIB), Does.ANEW, PAST_END, 5),
    Row(
        BOTH, Fault("truncated", on=GRIB, source="nomads"), Does.FALLS_BACK,
        "fell_back: inventory points past the end of the file", 2 * ATTEMPTS + 3, client=SOON,
    ),
    Row(HRRR, one("truncated", GRIB), Does.AGAIN, BROKEN, 3),
    Row(AIGFS, one("truncated", GRIB), Does.ANEW, PAST_END, 6),
    Row(AIGFS, Fault("growing", on=GRIB, after=-30.0), Does.SETTLES, "unsettled: not settled", 8),
    Row(
        MIRROR, Fault("late", on=GRIB, seconds=7200), Does.LATER,
        "fallback_failed: not yet published", 2,
    ),
    Row(
        MIRROR, Fault("truncated", on=GRIB), Does.LATER,
        "fallback_failed: inventory points past the end of the file", 2 * ATTEMPTS,
    ),
    # Replaced between the inventory and the file; between two stretches; in a stretch that broke.
    Row(GFS, Fault("rerun", skip=1), Does.TAKES, "", 2, lasting=(Fault("rerun"),)),
    Row(RANGES, Fault("rerun", skip=1), Does.SETTLES, NOT_GRIB, 5, lasting=(Fault("rerun"),)),
    Row(
        RANGES, Fault("rerun", skip=2), Does.SETTLES,
        "retried: file replaced while it was read", 5, lasting=(Fault("rerun"),),
    ),
    Row(
        RANGES, one("reset", GRIB), Does.SETTLES, "retried: file replaced while it was read", 5,
        also=(Fault("rerun", skip=2),), lasting=(Fault("rerun"),),
    ),
    Row(
        RANGES, Fault("idx_stale"), Does.SETTLES, NOT_GRIB, 5,
        also=(Fault("rerun"),), lasting=(Fault("rerun"),),
    ),
    Row(RANGES, one("idx_stale"), Does.ANEW, NOT_GRIB, 6),
    Row(MIRROR, one("idx_stale"), Does.ANEW, NOT_GRIB, 6),
    Row(GFS, one("idx_empty"), Does.AGAIN, NO_IDX, 3),
    Row(AIGFS, one("idx_empty"), Does.AGAIN, NO_IDX, 5),
    Row(MIRROR, one("idx_empty"), Does.AGAIN, NO_IDX, 4),
    Row(GFS, Fault("idx_empty"), Does.LATER, "failed: unusable inventory", ATTEMPTS),
    Row(GFS, one("idx_cut"), Does.AGAIN, NO_IDX, 3),
    Row(HRRR, one("idx_cut"), Does.AGAIN, NO_IDX, 3),
    Row(AIGFS, one("idx_cut"), Does.AGAIN, NO_IDX, 5),
    Row(MIRROR, one("idx_cut"), Does.AGAIN, NO_IDX, 4),
    # Cut where a line ends, it looks whole.
    Row(GFS, one("idx_cut", at=0.33), Does.ANEW, "retried: inventory lacks fields", 3),
    Row(RANGES, one("idx_past_end"), Does.ANEW, PAST_END, 5),
    Row(MIRROR, one("idx_past_end"), Does.ANEW, PAST_END, 5),
    Row(GFS, one("idx_past_end"), Does.TAKES, "", 2),
    Row(
        GFS, Fault("message_missing", message="TMP:850 mb:*"), Does.LEAVES_OUT,
        "retried: inventory lacks fields", 3,
        lasting=(Fault("message_missing", message="TMP:850 mb:*"),),
    ),
    Row(
        AIGFS, Fault("message_missing", message="PRMSL:*"), Does.LEAVES_OUT,
        "retried: inventory lacks fields", 5,
        lasting=(Fault("message_missing", message="PRMSL:*"),),
    ),
    Row(GFS, one("other_run", GRIB), Does.ANEW, "retried: wrong messages", 5),
    Row(RANGES, one("other_run", GRIB), Does.ANEW, "retried: wrong messages", 6),
    Row(HRRR, one("other_run", GRIB), Does.ANEW, "retried: wrong messages", 5),
    Row(MIRROR, one("other_run", GRIB), Does.ANEW, "retried: wrong messages", 6),
    Row(GFS, Fault("other_run", on=GRIB), Does.LATER, "failed: wrong messages", 3 * ATTEMPTS - 1),
    Row(RANGES, Fault("other_grid", on=GRIB), Does.LATER, "failed: wrong grid", 3),
    Row(AIGFS, Fault("other_grid", on=GRIB), Does.LATER, "failed: wrong grid", 4),
    # --- several byte ranges at once ----------------------------------------------------------
    Row(SEVERAL, one("status", GRIB, status=503), Does.AGAIN, "retried: server error", 3),
    Row(SEVERAL, one("status", GRIB, status=400), Does.AGAIN, UNCLEAR, 3),
    Row(SEVERAL, one("status", GRIB, status=416), Does.ANEW, PAST_END, 4),
    Row(
        SEVERAL, Fault("status", on=GRIB, status=400, first=2), Does.ONE_BY_ONE,
        "multi_range_refused: request refused", 6,
    ),
    Row(SEVERAL, one("limit_302", GRIB), Does.PAUSES, OVER, 2),
    Row(SEVERAL, one("block_403", GRIB), Does.PAUSES, "throttled: 403 Forbidden: Access Denied", 2),
    Row(SEVERAL, one("bare_302", GRIB), Does.PAUSES, "throttled: 302 without a Location", 2),
    Row(SEVERAL, one("moved_302", GRIB), Does.FOLLOWS, "", 3),
    Row(SEVERAL, one("empty_200", GRIB), Does.AGAIN, "retried: byte range ignored", 3),
    Row(SEVERAL, one("html_200", GRIB), Does.ANEW, NOT_GRIB, 4),
    Row(SEVERAL, one("range_ignored", GRIB), Does.AGAIN, "retried: byte range ignored", 3),
    Row(
        SEVERAL, Fault("range_ignored", on=GRIB, first=2), Does.ONE_BY_ONE,
        "multi_range_refused: byte range ignored", 6,
    ),
    Row(
        SEVERAL, Fault("range_ignored", on=GRIB), Does.REFUSES,
        "failed: full download refused", 1 + ATTEMPTS,
    ),
    # The first range is six sevenths of the answer.
    Row(SEVERAL, one("truncate_inside", GRIB), Does.AGAIN, BROKEN, 3),
    Row(SEVERAL, one("truncate_inside", GRIB, at=0.9), Does.KEEPS, BROKEN, 3),
    Row(SEVERAL, one("truncate_boundary", GRIB), Does.KEEPS, BROKEN, 3),
    Row(SEVERAL, one("drop_message", GRIB), Does.ANEW, NOT_GRIB, 4),
    Row(SEVERAL, one("hang", GRIB, **SILENT), Does.AGAIN, TIMED_OUT, 3, client=QUIET),
    Row(SEVERAL, one("disconnect", GRIB), Does.AGAIN, "", 3),
    Row(SEVERAL, one("reset", GRIB), Does.RESUMES, BROKEN, 3),
    Row(SEVERAL, one("reset", GRIB, at=0.9), Does.RESUMES, BROKEN, 3),
    Row(SEVERAL, one("short", GRIB, at=0.9), Does.RESUMES, BROKEN, 3),
    Row(SEVERAL, one("http10_short", GRIB, at=0.9), Does.KEEPS, BROKEN, 3),
    Row(SEVERAL, one("stall", GRIB, at=0.9, **SILENT), Does.RESUMES, TIMED_OUT, 3, client=QUIET),
    Row(SEVERAL, one("drip", GRIB, bytes_per_s=1e6), Does.TAKES, "", 2),
    Row(SEVERAL, one("bad_chunk", GRIB), Does.AGAIN, "retried: ", 3, client=QUIET),
    Row(SEVERAL, one("bad_chunk", GRIB, at=0.9), Does.KEEPS, "retried: ", 3, client=QUIET),
    Row(SEVERAL, one("cut_chunked", GRIB, at=0.9), Does.KEEPS, BROKEN, 3),
    Row(SEVERAL, one("first_range", GRIB), Does.KEEPS, "", 3),
    Row(
        SEVERAL, Fault("first_range", on=GRIB), Does.ONE_BY_ONE,
        "multi_range_refused: not all that was asked for", 4,
    ),
    Row(SEVERAL, one("joined_ranges", GRIB), Does.AGAIN, UNCLEAR, 3),
    Row(AIGFS, one("joined_ranges", GRIB, path="sfc"), Does.AGAIN, UNCLEAR, 5),
    Row(SEVERAL, one("lost_part", GRIB), Does.KEEPS, "", 3),
    Row(SEVERAL, Fault("lost_part", on=GRIB), Does.KEEPS, "", 3),
    Row(SEVERAL, Fault("swapped_parts", on=GRIB), Does.TAKES, "", 2),
    Row(SEVERAL, one("other_boundary", GRIB), Does.KEEPS, UNCLEAR, 3),
    Row(SEVERAL, one("other_range", GRIB), Does.KEEPS, UNCLEAR, 3),
    Row(SEVERAL, Fault("late", on=GRIB, seconds=7200), Does.POLLS, "", 2),
    Row(SEVERAL, Fault("growing", on=GRIB, after=-30.0), Does.SETTLES, PAST_END, 4),
    Row(
        SEVERAL, Fault("truncated", on=GRIB), Does.LATER,
        "failed: inventory points past the end of the file", 2 * ATTEMPTS,
    ),
    Row(SEVERAL, one("truncated", GRIB), Does.ANEW, PAST_END, 4),
    Row(SEVERAL, Fault("rerun", skip=1), Does.SETTLES, NOT_GRIB, 4, lasting=(Fault("rerun"),)),
    Row(
        SEVERAL, one("reset", GRIB), Does.SETTLES, "retried: file replaced while it was read", 5,
        also=(Fault("rerun", skip=2),), lasting=(Fault("rerun"),),
    ),
    Row(SEVERAL, one("idx_stale"), Does.ANEW, NOT_GRIB, 4),
    Row(SEVERAL, one("idx_past_end"), Does.ANEW, PAST_END, 4),
    Row(SEVERAL, one("other_run", GRIB), Does.ANEW, "retried: wrong messages", 4),
    Row(SEVERAL, Fault("other_grid", on=GRIB), Does.LATER, "failed: wrong grid", 2),
]  # fmt: skip


@pytest.mark.parametrize("row", MATRIX, ids=str)
async def test_row(row, bench):
    truth = await bench.truth(row.way, *row.lasting)
    async with bench.client(row.way, *row.faults, **row.client) as client:
        got = await client.ask(row.way)

        assert any(hit.fault for hit in got.hits) or row.fault.kind in {"late", "aborted"}
        assert len(got.hits) == row.asks
        _require_said(got, row.says)
        if row.does in ARRIVES:
            assert got.error is None
            _require_arrived(got, truth)
            _require_done(row.does, got, truth)
            return
        assert isinstance(got.error, ENDS_WITH[row.does])
        assert got.kept == []

        client.replica.play(*row.lasting)
        await _require_comes_back(client, row.way, got, truth)


# The same on the ways that the table names for some faults only: one request is befallen.
ANY_WAY = [
    (way, kind, on)
    for way, on in ((AIGFS, GRIB), (AIGFS, IDX), (HRRR, FILTER), (MIRROR, GRIB), (MIRROR, IDX))
    for kind in (
        *("status", "moved_302", "empty_200", "html_200"),
        *("truncate_boundary", "truncate_inside", "drop_message"),
        *("disconnect", "reset", "short", "http10_short", "cut_chunked"),
    )
]


@pytest.mark.parametrize(("way", "kind", "on"), ANY_WAY, ids=str)
async def test_one_bad_answer_on_any_way_costs_no_byte_of_the_hour(way, kind, on, bench):
    truth = await bench.truth(way)
    async with bench.client(way, one(kind, on)) as client:
        got = await client.ask(way)

        assert got.error is None
        _require_arrived(got, truth)


def test_no_fault_of_the_replica_is_left_out():
    assert {fault.kind for row in MATRIX for fault in row.faults} == set(Kind)


def _require_said(got, says):
    if not says:
        assert {line["event"] for line in got.logs} <= {"fetch.finished"}
        return
    event, _, reason = says.partition(": ")
    reasons = [line["reason"] for line in got.lines(f"fetch.{event}")]
    assert any(told.startswith(reason) for told in reasons), got.logs


def _require_arrived(got, truth):
    assert got.fields == truth.fields
    assert got.fields
    assert got.hour.missing == truth.hour.missing
    files = {path.rpartition("/")[2] for path, _ in got.hour.files}
    assert {name for name in got.kept if not name.endswith(".json")} == files


def _require_done(does, got, truth):
    """Say of the requests whether that was done; the table says how many they were."""
    asked = [_asked(hit) for hit in got.hits]
    befallen = [what for what, hit in zip(asked, got.hits, strict=True) if hit.fault]
    inventories = [_inventories(one.hits) for one in (got, truth)]
    if does is Does.AGAIN:
        assert asked.count(befallen[0]) == 2
        assert (Counter(asked) - Counter([befallen[0]])) == _wishes(truth)
    elif does in {Does.ANEW, Does.LEAVES_OUT}:
        assert inventories[0] > inventories[1] or got.hour.missing
        assert bool(got.hour.missing) == (does is Does.LEAVES_OUT)
    elif does is Does.RESUMES:
        spans = sorted(span for hit in got.hits if hit.range for span in hit.spans)
        goes_on = [(a, b) for a, b in pairwise(spans) if a[0] < b[0] < a[1]]
        assert len(goes_on) == 1
    elif does is Does.KEEPS:
        first, *others = [_ranges(hit) for hit in got.hits if hit.range]
        assert all(ranges < first for ranges in others)
    elif does is Does.ONE_BY_ONE:
        first, *_, last = [_ranges(hit) for hit in got.hits if hit.range]
        assert len(last) == 1 < len(first)
    elif does is Does.FOLLOWS:
        assert [hit.status for hit in got.hits].count(302) == 1
    elif does is Does.FALLS_BACK:
        assert got.hour.source == "aws"
    else:
        assert Counter(asked) == _wishes(truth)


def _ranges(hit):
    """The ranges asked for; one to the end of the file by what it begins with."""
    return {part.partition("-")[0] for part in hit.range.removeprefix("bytes=").split(",")}


def _wishes(truth):
    return Counter(map(_asked, truth.hits))


def _asked(hit):
    """What a request was for. Where the file ends is known from the first answer on."""
    return hit.method, hit.path, hit.query, re.sub(r"-\d+$", "-", hit.range)


def _inventories(hits):
    return sum(hit.path.endswith(".idx") for hit in hits)


async def _require_comes_back(client, way, got, truth):
    """The fault is over: after the pause that the error asks for, or the next poll, it is there."""
    if got.error.retry_after_s is None:
        return
    if isinstance(got.error, Throttled):  # for minutes; test_hosts.py waits for the end of one
        other = await client.ask(HRRR if way is GFS else GFS)
        assert isinstance(other.error, Throttled)
        assert other.hits == [], "another model asked the host"
        return
    if isinstance(got.error, Unsettled):
        client.clock.move(got.error.retry_after_s)
    else:
        client.clock.move(7200)
    again = await client.ask(way)
    assert again.error is None
    _require_arrived(again, truth)
