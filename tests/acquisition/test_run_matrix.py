"""What NOMADS can do wrong to a run, and that nothing wrong is published and nothing is left out.

A row: what goes wrong in the middle of a run of eight hours, which frames cannot be had because of
it, and what the log says. The truth is the same run undisturbed: picture and value grid of every
frame, but for the names of the downloads that they were made from. Rows that wait for something
that never comes, and most of those that resemble another, are in `make soak`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from tests.acquisition.rehearsal import SPEED, Frames, Rehearsal, Stage, rehearsed
from twf_async.replica.faults.kinds import Kind
from twf_async.replica.faults.script import Fault
from twf_async.replica.mirror import MirrorOptions

CYCLES = {"gfs": "2026012912", "aigfs": "2026012912", "hrrr": "2026012917"}
HOURS = {"gfs": "0-21/3", "aigfs": "0-42/6", "hrrr": "0-7"}
MIDDLE = {"gfs": 9, "aigfs": 18, "hrrr": 3}
GIVES_UP_MIN = 15.0
SILENT_S = 2.0  # longer than the client's patience
RANGES = {  # HRRR without its filter script
    "TWF_MODELS__HRRR__FILES": (
        '[{ path = "hrrr/prod/hrrr.{date}/conus/hrrr.t{cc}z.wrfsfcf{hour:02d}.grib2" }]'
    )
}
NEEDS_MIDDLE = {  # frames that take anything from the middle hour
    "gfs": {
        *((product, 9) for product in ("t2m", "t850", "precip_total", "precip_6h", "snow_total")),
        ("precip_6h", 15),
    },
    "aigfs": {
        *((product, 18) for product in ("t2m", "t850", "precip_total", "precip_6h")),
        ("precip_6h", 24),
    },
    "hrrr": {("t2m", 3), ("refc", 3), ("precip_total", 3)},
}


def stage_of(model: str, **changes) -> Stage:
    given = {"hours": HOURS, "gives_up_min": GIVES_UP_MIN} | changes
    return Stage({model: [CYCLES[model]]}, **given)


@dataclass(frozen=True)
class Row:
    """One run.

    lost   frames that cannot be had; by "middle" those that need the middle hour
    why    what the manifest gives as the reason of each
    unseen frames that a flipped bit may change without anybody being able to tell
    says   event -> reason: what the log must say; ... for any reason
    truth  what the undisturbed run suffers from the beginning
    or_else  the same of a run whose frames are true as well: a mirror's reach beyond a cut-out
    """

    name: str
    faults: tuple[Fault, ...]
    model: str = "gfs"
    lost: Iterable[tuple[str, int]] | str = ()
    why: str = ""
    says: tuple[tuple[str, str], ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    mirror: bool = False
    truth: tuple[Fault, ...] = ()
    or_else: tuple[Fault, ...] = ()
    speed: float = SPEED
    unseen: frozenset[tuple[str, int]] = frozenset()
    quick: bool = False


def middle(kind: str, model: str, *on: str, **more) -> Fault:
    return Fault(kind, path=f"*f{MIDDLE[model]:0{2 if model == 'hrrr' else 3}d}*", on=on, **more)


def after(model: str, **delta: float) -> datetime:
    """A moment after the middle hour has appeared."""
    return stage_of(model).appears(model, CYCLES[model], MIDDLE[model]) + timedelta(**delta)


def once(kind: str, model: str, on: str, reason: str, *, quick=False, **more) -> Row:
    """A fault that befalls two requests of a kind for the middle hour, then no more."""
    fault = middle(kind, model, on, first=2, **more)
    says = (("fetch.retried", reason),) if reason else ()
    settings = RANGES if model == "hrrr" and on == "grib" else {}
    return Row(f"{kind} {on}", (fault,), model, says=says, settings=settings, quick=quick)


def thrown_out(kind: str) -> Row:
    fault = middle(kind, "gfs", "filter", first=1)
    return Row(f"{kind} filter", (fault,), says=(("fetch.throttled", "..."),))


def passing(kind: str, model: str, on: str, reason: str, event="fetch.retried", **more) -> Row:
    """A file that is wrong for the first requests, then as it should be."""
    fault = middle(kind, model, on, first=2, **more)
    settings = RANGES if model == "hrrr" and on == "grib" else {}
    says = ((event, reason),) if reason else ()
    return Row(f"{kind} for a while", (fault,), model, says=says, settings=settings)


def lasting(kind: str, model: str, on: str, why: str, *, settings=None, **more) -> Row:
    """A file that stays wrong: its frames are stated as missing, all others come."""
    return Row(
        f"{kind} for good",
        (middle(kind, model, *([on] if on else []), **more),),
        model,
        lost="middle",
        why=why,
        says=(("pipeline.hour_given_up", why),),
        settings=settings or {},
    )


def mirrored(path: str) -> Row:
    """An hour that NOMADS cannot give comes from the mirror, as a whole grid among cut-outs."""
    return Row(
        f"truncated for good, and a mirror {path}",
        (Fault("truncated", path=path, on=("grib",), source="nomads"),),
        mirror=True,
        says=(("fetch.fell_back", "connection broken"),),
        settings={"TWF_UPSTREAM__FALLBACK_AFTER_MIN": "3"},
        or_else=(Fault("status", on=("filter",), source="nomads"),),
    )


LATE = (("pipeline.hour_late", "not yet published"),)
ROWS = [
    once("status", "gfs", "filter", "server error"),
    once("status", "gfs", "idx", "server error", status=503),
    once("slow_down", "gfs", "filter", "server error"),
    once("status", "aigfs", "grib", "server error", status=502),
    thrown_out("limit_302"),
    thrown_out("limit_200"),
    thrown_out("block_403"),
    thrown_out("bare_302"),
    Row(
        "429 grib",
        (middle("status", "aigfs", "grib", first=1, status=429),),
        "aigfs",
        says=(("fetch.throttled", "..."),),
    ),
    once("moved_302", "gfs", "filter", ""),
    once("empty_200", "gfs", "filter", "empty answer"),
    once("empty_200", "gfs", "idx", "unusable inventory"),
    once("html_200", "gfs", "filter", "not GRIB"),
    once("html_200", "aigfs", "idx", "not GRIB"),
    once("range_ignored", "aigfs", "grib", "byte range ignored"),
    once("range_ignored", "hrrr", "grib", "byte range ignored"),
    once("truncate_boundary", "gfs", "filter", "truncated", quick=True),
    once("truncate_boundary", "hrrr", "grib", "connection broken"),
    once("truncate_inside", "gfs", "filter", "truncated"),
    once("truncate_inside", "aigfs", "grib", "connection broken"),
    once("drop_message", "gfs", "filter", "truncated"),
    once("drop_message", "aigfs", "grib", "..."),  # as the seed has it, which one is lost
    once("drop_message", "hrrr", "filter", "truncated"),
    once("first_range", "aigfs", "grib", ""),
    once("joined_ranges", "aigfs", "grib", ""),
    once("lost_part", "hrrr", "grib", "", quick=True),
    once("swapped_parts", "aigfs", "grib", ""),
    once("other_boundary", "aigfs", "grib", "several byte ranges not understood"),
    once("other_range", "hrrr", "grib", "several byte ranges not understood"),
    once("hang", "gfs", "filter", "timed out", seconds=SILENT_S),
    once("hang", "aigfs", "idx", "timed out", seconds=SILENT_S),
    once("disconnect", "gfs", "filter", ""),  # asked again at once, by aiohttp: no delay
    once("disconnect", "gfs", "idx", ""),
    once("reset", "gfs", "filter", "connection broken"),
    once("reset", "aigfs", "grib", "connection broken"),
    once("short", "gfs", "filter", "connection broken"),
    once("short", "hrrr", "grib", "connection broken"),
    once("http10_short", "gfs", "filter", "truncated"),
    once("http10_short", "aigfs", "grib", "connection broken"),
    once("stall", "gfs", "filter", "timed out", seconds=SILENT_S),
    once("stall", "hrrr", "grib", "timed out", seconds=SILENT_S),
    once("drip", "hrrr", "filter", "timed out", bytes_per_s=2000.0),
    once("bad_chunk", "gfs", "filter", "connection broken"),
    once("cut_chunked", "gfs", "filter", "connection broken"),
    once("cut_chunked", "aigfs", "idx", "connection broken"),
    lasting("absent", "gfs", "", "not published"),
    lasting("absent", "aigfs", "", "not published"),
    Row("late", (middle("late", "gfs", seconds=600.0),), says=LATE, quick=True),
    Row("late grib, early idx", (middle("late", "gfs", "grib", seconds=300.0),), says=LATE),
    Row("late", (middle("late", "hrrr", seconds=780.0),), "hrrr", says=LATE),
    Row(
        "aborted",
        (Fault("aborted", last_hour=12),),
        lost={
            (product, hour)
            for product in ("t2m", "t850", "precip_total", "precip_6h", "snow_total")
            for hour in (15, 18, 21)
        },
        why="not published",
        says=(("pipeline.hour_given_up", "not published"),),
    ),
    Row(
        "aged out for a while",
        (middle("aged_out", "gfs", until=after("gfs", minutes=5)),),
        says=(("fetch.directory_forbidden", "..."),),
    ),
    Row(
        "growing",
        (middle("growing", "gfs", "grib", after=after("gfs", seconds=-20), seconds=240.0),),
        says=LATE,
    ),
    Row(
        "growing",
        (middle("growing", "aigfs", "grib", after=after("aigfs", seconds=-20), seconds=240.0),),
        "aigfs",
    ),
    passing("truncated", "gfs", "grib", "connection broken"),
    passing("truncated", "aigfs", "grib", "inventory points past the end of the file"),
    lasting("truncated", "gfs", "grib", "connection broken"),
    Row(
        "rerun",
        (Fault("rerun", after=after("gfs", seconds=60)),),
        truth=(Fault("rerun"),),
        says=(("pipeline.hours_replaced", "..."),),
        quick=True,
    ),
    Row(
        "rerun",
        (Fault("rerun", after=after("aigfs", seconds=5)),),
        "aigfs",
        truth=(Fault("rerun"),),
        speed=10.0,
        says=(("pipeline.hours_replaced", "..."),),
    ),
    passing("message_missing", "gfs", "grib", "...", message="TMP:2 m above ground:*"),
    Row(
        "message missing for good",
        (middle("message_missing", "gfs", message="TMP:2 m above ground:*"),),
        lost={("t2m", 9)},
        why="field missing",
        says=(("fetch.retried", "inventory lacks fields"),),
        quick=True,
    ),
    passing("other_run", "gfs", "grib", "wrong messages"),
    passing("other_run", "aigfs", "grib", "wrong messages"),
    lasting("other_run", "gfs", "grib", "wrong messages"),
    passing("other_grid", "gfs", "grib", "wrong grid", event="fetch.failed"),
    passing("other_grid", "aigfs", "grib", "wrong grid", event="fetch.failed"),
    passing("other_grid", "hrrr", "grib", "wrong grid", event="fetch.failed"),
    lasting("other_grid", "hrrr", "grib", "wrong grid", settings=RANGES),
    passing("idx_empty", "gfs", "idx", "unusable inventory"),
    passing("idx_cut", "gfs", "idx", "..."),
    passing("idx_cut", "aigfs", "idx", "...", at=0.8),
    passing("idx_stale", "gfs", "idx", ""),
    passing("idx_stale", "aigfs", "idx", "..."),
    passing("idx_past_end", "aigfs", "idx", "..."),
    lasting("idx_empty", "gfs", "idx", "unusable inventory"),
    lasting("idx_past_end", "aigfs", "idx", "inventory points past the end of the file"),
    Row(  # so many that it is noticed; what goes unnoticed: test_run_mixes.py
        "flip",
        (Fault("flip", path="*f006*var_APCP*", on=("filter",), first=2, count=40),),
        unseen=frozenset({("t850", 6)}),  # its pressure is in the same answer
        says=(("pipeline.fields_distrusted", "..."),),
        quick=True,
    ),
    mirrored("*f009*"),
    mirrored("*f006*"),  # which later totals go on with
]


def _marked(row: Row):
    identity = f"{row.model}-{row.name}".replace(" ", "_")
    return pytest.param(row, id=identity, marks=[] if row.quick else [pytest.mark.soak])


@pytest.fixture(scope="module")
def truths():
    """Frames of undisturbed runs, as they are needed."""
    return {}


async def undisturbed(
    truths, root, test_data, context, maps, model, faults=(), settings=None, mirror=None
) -> Frames:
    key = (model, faults, tuple(sorted((settings or {}).items())))
    if key not in truths:
        stage = stage_of(model, settings=settings or {}, mirror=mirror)
        run = await rehearsed(root, test_data, stage, context, *faults, maps=maps)
        assert {frame.state for frame in run.shown[model, CYCLES[model]].values()} <= {
            "published",
            "not_applicable",
        }
        truths[key] = run.shown[model, CYCLES[model]]
    return truths[key]


@pytest.mark.parametrize("row", [_marked(row) for row in ROWS])
async def test_a_run_that_suffers(row, truths, tmp_path, test_data, context, maps):
    truth = await undisturbed(
        truths, tmp_path / "truth", test_data, context, maps, row.model, row.truth, row.settings
    )
    stage = stage_of(
        row.model,
        settings=row.settings,
        mirror=MirrorOptions() if row.mirror else None,
        speed=row.speed,
    )
    run = await rehearsed(tmp_path / "run", test_data, stage, context, *row.faults, maps=maps)
    shown = run.shown[row.model, CYCLES[row.model]]
    lost = NEEDS_MIDDLE[row.model] if row.lost == "middle" else set(row.lost)

    assert any(hit.fault for hit in run.hits), "the fault met no request"
    wrong = nothing_wrong(shown, truth)
    if row.or_else:
        settings = row.settings | {"TWF_UPSTREAM__FALLBACK_AFTER_MIN": "0.001"}
        other = await undisturbed(
            *(truths, tmp_path / "other", test_data, context, maps, row.model, row.or_else),
            settings,
            MirrorOptions(),
        )
        wrong = [name for name in wrong if name in nothing_wrong(shown, other)]
    assert set(wrong) <= row.unseen
    missing = {name: frame for name, frame in shown.items() if frame.state == "failed"}
    assert set(missing) == lost
    assert {frame.reason for frame in missing.values()} == ({row.why} if lost else set())
    for event, reason in row.says:
        assert said(run, event, reason), f"{event} with reason {reason!r} is not in the log"


def nothing_wrong(shown: Frames, truth: Frames) -> list[tuple[str, int]]:
    """Frames that are published with another content than they should have."""
    return [
        name
        for name, frame in shown.items()
        if frame.state == "published" and frame.digest != truth[name].digest
    ]


def said(run: Rehearsal, event: str, reason: str) -> bool:
    lines = run.events(event)
    return bool(lines) if reason == "..." else any(line.get("reason") == reason for line in lines)


def test_every_kind_of_fault_is_in_the_table():
    there = {fault.kind for row in ROWS for fault in row.faults}

    assert there == set(Kind)
