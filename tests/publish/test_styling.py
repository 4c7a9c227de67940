"""Frames online that were drawn by an earlier configuration, and frames that nobody wants."""

from datetime import UTC, datetime

import pytest

from render_farm.domain.jobs import Frame
from twf_async.publish.document import FrameChange, RunDocument
from twf_async.publish.manifest import FrameState
from twf_async.publish.styling import forget_unplanned, of_old_style, restyle

NOW = datetime(2026, 1, 29, 18, tzinfo=UTC)
T2M = ("west", "t2m")


def frame(config_hash):
    return Frame("west", "t2m", "", 9, "ab" * 32, 2, 1, 0.1, config_hash=config_hash)


@pytest.fixture
def document():
    run = RunDocument("gfs", "2026012912", NOW, NOW)
    run.extend((0, 6), ("west",), ("t2m", "precip_total"))
    for hour, config_hash in ((0, "old"), (6, "new")):
        run.publish(frame(config_hash), hour, NOW)
    return run


def test_frames_of_another_style_are_marked_until_they_are_published_anew(document):
    assert restyle(document, {T2M: "new"})
    assert of_old_style(document) == {(*T2M, 0)}
    assert not restyle(document, {T2M: "new"})

    document.publish(frame("new"), 0, NOW)

    assert of_old_style(document) == frozenset()


def test_a_mark_goes_when_the_configuration_is_what_it_was(document):
    restyle(document, {T2M: "new"})

    assert restyle(document, {T2M: "old"})

    assert of_old_style(document) == {(*T2M, 6)}


def test_a_mark_survives_being_written_and_read(document):
    restyle(document, {T2M: "new"})

    read = RunDocument.from_json(document.to_json(), model="gfs", cycle="2026012912")

    assert of_old_style(read) == {(*T2M, 0)}
    assert read.record("west", "t2m", 6)["config_hash"] == "new"


def test_a_frame_that_says_no_hash_counts_as_current(document):
    document.publish(frame(""), 0, NOW)

    restyle(document, {T2M: "new"})

    assert of_old_style(document) == frozenset()


def test_what_is_not_planned_any_more_is_not_expected_but_stays_online(document):
    document.change(FrameChange("west", "t2m", 12, FrameState.FAILED, "render error"))

    assert forget_unplanned(document, (0,), ("west",), ())

    assert document.published() == {(*T2M, 0), (*T2M, 6)}
    assert document.record("west", "t2m", 12) is None
    assert (document.products, document.hours) == (("t2m",), (0, 6))


def test_of_what_is_planned_nothing_is_forgotten(document):
    before = document.to_json()

    assert not forget_unplanned(document, (0, 6), ("west",), ("t2m", "precip_total"))

    assert document.to_json() == before
