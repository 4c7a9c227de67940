"""The figures of one run in the status document, from a real published tree."""

import pytest

from render_farm.domain.jobs import FrameFailure, HourRendered, Reason
from twf_async.app.run_status import resting, run_entry
from twf_async.publish.document import FrameChange
from twf_async.publish.manifest import FrameState, RunState
from twf_async.publish.tree import PublishedTree

RUN = ("gfs", "2026012912")


@pytest.fixture
async def tree(tmp_path):
    """Hours 0, 3 and 6 of two products: one drawn, one that cannot be, one failed, three open."""
    tree = PublishedTree(tmp_path)
    await tree.start()
    await tree.open_run(*RUN, hours=(0, 3, 6), regions=("pnw",), products=("t2m", "total"))
    tree.mark(*RUN, [FrameChange("pnw", "total", 0, FrameState.NOT_APPLICABLE)])
    failed = FrameFailure("pnw", "t2m", Reason.FIELD_MISSING, "TMP")
    await tree.publish(HourRendered(*RUN, 3, (), (failed,), 0.1, 0.2, 90.0, 1))
    yield tree
    await tree.stop()


async def test_hours_of_a_run_that_rests_are_pending_until_it_has_ended(tree):
    before = resting(tree.summary(*RUN), {0})
    await tree.finish_run(*RUN, RunState.PARTIAL)
    after = resting(tree.summary(*RUN), {0})

    assert (before["pending"], before["given_up"]) == ([3, 6], [])
    assert (after["pending"], after["given_up"]) == ([], [3, 6])
    assert (after["frames"], after["published"], after["failed"]) == (5, 0, 1)


async def test_what_is_neither_pending_nor_given_up_was_fetched(tree):
    working = {
        "frames": 5,
        "published": 1,
        "failed": 1,
        "superseded": True,
        "pending": [3, 6],
        "given_up": [],
        "etas": {"f006": "soon"},
    }

    entry = run_entry(tree.summary(*RUN), working, seen={0, 3, 99}, received_bytes=7)

    assert entry == {
        "state": "running",
        "superseded": True,
        "hours": {"expected": 3, "seen": 2, "fetched": 1, "pending": 2, "given_up": 0},
        "etas": {"f003": None, "f006": "soon"},
        "frames": {"expected": 5, "published": 1, "failed": 1},
        "received_bytes": 7,
    }
