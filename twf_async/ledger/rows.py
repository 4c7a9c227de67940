"""Entries as SQLite keeps them: columns, statements, values."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import orjson

from twf_async.ledger.entries import (
    ArrivalEntry,
    AskedEntry,
    FrameEntry,
    FreshnessEntry,
    HourEntry,
    RunEntry,
)

Value = str | int | float | None
Statement = tuple[str, tuple[Value, ...]]
RUN_COLUMNS = tuple(column.name for column in fields(RunEntry))
HOUR_COLUMNS = tuple(column.name for column in fields(HourEntry))
FRAME_COLUMNS = tuple(column.name for column in fields(FrameEntry))
ASKED_COLUMNS = tuple(column.name for column in fields(AskedEntry))
ARRIVAL_COLUMNS = tuple(column.name for column in fields(ArrivalEntry))
FRESHNESS_COLUMNS = tuple(column.name for column in fields(FreshnessEntry))
_HOUR_ALWAYS = {"model", "cycle", "hour", "state", "reason", "detail"}
_HOUR_FIRST = {"first_seen_at", "rendered_at", "published_at"}  # what was noted once stays
_FRAME_KEY = {"model", "cycle", "hour", "region", "product"}


def upsert_hour(entry: HourEntry) -> Statement:
    """Note an hour; what the entry leaves open stays."""
    given = {
        name: value
        for name, value in _row(entry).items()
        if value is not None or name in _HOUR_ALWAYS
    }
    names = ", ".join(given)
    marks = ", ".join("?" for _ in given)
    sets = ", ".join(
        f"{name} = coalesce(hours.{name}, excluded.{name})"
        if name in _HOUR_FIRST
        else f"{name} = excluded.{name}"
        for name in given
    )
    key = "model, cycle, hour"
    sql = f"INSERT INTO hours ({names}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {sets}"  # noqa: S608
    return sql, tuple(given.values())


def upsert_frame(entry: FrameEntry) -> Statement:
    """Note a frame; counts as an attempt."""
    row = {**_row(entry), "attempts": 1}
    names = ", ".join(row)
    marks = ", ".join("?" for _ in row)
    sets = ", ".join(
        "attempts = frames.attempts + 1" if name == "attempts" else f"{name} = excluded.{name}"
        for name in row
        if name not in _FRAME_KEY
    )
    key = ", ".join(_FRAME_KEY)
    sql = f"INSERT INTO frames ({names}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {sets}"  # noqa: S608
    return sql, tuple(row.values())


def insert_arrival(entry: ArrivalEntry) -> Statement:
    """Note when an hour came; the first time counts."""
    row = _row(entry)
    sql = f"INSERT OR IGNORE INTO arrivals ({', '.join(row)}) VALUES (?, ?, ?, ?)"  # noqa: S608
    return sql, tuple(row.values())


def insert_freshness(entry: FreshnessEntry) -> Statement:
    """Note how an hour came online; the first time counts."""
    row = _row(entry)
    marks = ", ".join("?" for _ in row)
    sql = f"INSERT OR IGNORE INTO freshness ({', '.join(row)}) VALUES ({marks})"  # noqa: S608
    return sql, tuple(row.values())


def replace_asked(entry: AskedEntry) -> Statement:
    """Note what is asked for of a run; of one run the last time counts."""
    row = _row(entry)
    marks = ", ".join("?" for _ in row)
    return f"INSERT OR REPLACE INTO asked ({', '.join(row)}) VALUES ({marks})", tuple(row.values())  # noqa: S608


def _row(
    entry: HourEntry | FrameEntry | ArrivalEntry | FreshnessEntry | AskedEntry,
) -> dict[str, Value]:
    """Column -> value as SQLite keeps it."""
    row: dict[str, Value] = {}
    for column in fields(entry):
        value = getattr(entry, column.name)
        if isinstance(value, datetime):
            value = value.timestamp()
        elif isinstance(value, tuple):
            value = orjson.dumps(value).decode()
        row[column.name] = value
    return row


def typed(columns: Iterable[str], row: Iterable[Any]) -> list[Any]:
    """A row as an entry takes it: times instead of seconds."""
    return [
        datetime.fromtimestamp(value, UTC) if name.endswith("_at") and value is not None else value
        for name, value in zip(columns, row, strict=True)
    ]


def typed_asked(row: Iterable[Any]) -> list[Any]:
    """A row of `asked` as its entry takes it: tuples instead of JSON."""
    values = dict(zip(ASKED_COLUMNS, typed(ASKED_COLUMNS, row), strict=True))
    for name in ("hours", "regions", "products"):
        if values[name] is not None:
            values[name] = tuple(orjson.loads(values[name]))
    return list((values | {"wait": bool(values["wait"])}).values())
