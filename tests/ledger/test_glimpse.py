"""What is told of a service that does not run, from the ledger that it left."""

from datetime import UTC, datetime

import pytest

from twf_async.clock import Clock
from twf_async.ledger.entries import AskedEntry, HourEntry
from twf_async.ledger.glimpse import LastKnown, last_known, still_asked
from twf_async.ledger.ledger import Ledger

AT = datetime(2026, 1, 29, 16, 0, 5, tzinfo=UTC)


async def fill(ledger):
    await ledger.start()
    for model, cycle in (("gfs", "2026012906"), ("gfs", "2026012912"), ("hrrr", "2026012917")):
        await ledger.run_started(model, cycle)
    await ledger.run_ended("gfs", "2026012906", "complete")
    await ledger.record_hours(
        [
            HourEntry("gfs", "2026012912", 0, "fetched", fetched_at=AT.replace(second=0)),
            HourEntry("gfs", "2026012912", 3, "fetched", fetched_at=AT),
            HourEntry("gfs", "2026012912", 6, "failed", "not published"),
        ]
    )


async def test_the_newest_run_of_every_model_is_told_also_of_a_ledger_left_open(tmp_path):
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger(path, clock=Clock())
    await fill(ledger)
    expected = (
        LastKnown("gfs", "2026012912", "running", 2, AT),
        LastKnown("hrrr", "2026012917", "running", 0, None),
    )

    asked = AskedEntry("gfs", "2026012806", None, None, None, wait=False, asked_at=AT)
    await ledger.record_asked(asked)
    while_open = last_known(path)
    await ledger.stop()

    assert while_open == last_known(path) == expected
    assert still_asked(path) == (("gfs", "2026012806"),)


@pytest.mark.parametrize("content", [None, b"", b"not a database at all, and long enough for it"])
def test_where_there_is_no_ledger_nothing_is_told_and_nothing_is_made(content, tmp_path):
    path = tmp_path / "ledger.sqlite"
    if content is not None:
        path.write_bytes(content)

    assert last_known(path) == still_asked(path) == ()
    assert path.exists() == (content is not None)
