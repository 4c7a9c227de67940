"""Which bytes are missing and where they go, whatever comes, in whatever order."""

from datetime import UTC, datetime
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twf_async.fetch.errors import FileReplaced, NotGrib, PastEnd, RangesUnclear
from twf_async.fetch.gathering import Gathering
from twf_async.fetch.spans import LONGEST_HEADER, ContentRange, Span, range_header
from twf_async.plan.ranges import RANGES_AT_ONCE, ByteRange

WRITTEN = datetime(2026, 1, 29, 15, 40, tzinfo=UTC)


@st.composite
def layouts(draw):
    """A file of messages, and stretches of it; the last one may be open."""
    sizes = draw(st.lists(st.integers(5, 40), min_size=1, max_size=12))
    edges = [0, *accumulate(sizes)]
    messages = list(pairwise(edges))
    content = b"".join(b"GRIB" + bytes([n]) * (size - 4) for n, size in enumerate(sizes, 1))
    wanted = draw(st.sets(st.integers(0, len(sizes) - 1), min_size=1))
    stretches = []
    for number, (start, end) in enumerate(messages):
        if number not in wanted:
            continue
        last = number == len(messages) - 1 and draw(st.booleans())
        joins = stretches and stretches[-1].end == start
        begin = stretches.pop().start if joins else start
        stretches.append(ByteRange(begin, None if last else end, ()))
    return content, stretches, messages[-1][0]


def coming(content, start=0, end=1):
    return ContentRange(start, end, len(content))


@given(layouts(), st.lists(st.tuples(st.integers(0, 500), st.integers(1, 200)), max_size=12))
def test_bytes_in_any_order_and_twice_make_the_file_of_the_stretches(made, pieces):
    content, stretches, last_offset = made
    gathering = Gathering(stretches, last_offset)
    gathering.require_file(coming(content), WRITTEN)
    truth = b"".join(content[s.start : s.end] for s in stretches)
    ours = bytearray(len(truth))

    def bring(start, end):
        for place, data in gathering.places(start, content[start:end]):
            ours[place : place + len(data)] = data
        gathering.take(start, end)

    for start, size in pieces:
        if start < len(content):
            bring(start, min(start + size, len(content)))
    assert gathering.taken == len(truth) - sum(s.end - s.start for s in gathering.missing)
    for span in gathering.missing:
        bring(span.start, span.end)

    assert gathering.missing == gathering.asks(several=True) == ()
    assert gathering.taken == len(truth)
    assert bytes(ours) == truth


@given(layouts(), st.integers(0, 500), st.integers(1, 200))
def test_what_is_here_is_not_written_again(made, start, size):
    content, stretches, last_offset = made
    gathering = Gathering(stretches, last_offset)
    gathering.require_file(coming(content), WRITTEN)
    gathering.take(start, start + size)

    written = [
        at for place, data in gathering.places(0, content) for at in range(place, place + len(data))
    ]

    assert len(written) == len(set(written))
    assert len(written) == sum(span.end - span.start for span in gathering.missing)
    places = [at for s in stretches for at in range(s.start, s.end or len(content))]
    assert not [at for at in written if start <= places[at] < start + size]


def test_a_request_names_so_many_ranges_that_every_server_takes_its_header():
    few = Gathering([ByteRange(n * 10**6, n * 10**6 + 999, ()) for n in range(250)], 10**9)
    far = Gathering([ByteRange(n * 10**14, n * 10**14 + 999, ()) for n in range(250)], 10**18)

    assert len(few.asks(several=True)) == RANGES_AT_ONCE
    assert len(few.asks(several=False)) == 1
    for gathering in (few, far):
        spans = gathering.asks(several=True)
        assert len(range_header(spans)) <= LONGEST_HEADER < 4000
        assert spans == gathering.missing[: len(spans)]
    assert 90 < len(far.asks(several=True)) <= RANGES_AT_ONCE


def gathering_of(*spans):
    return Gathering([ByteRange(start, end, ()) for start, end in spans], spans[-1][0])


def test_another_length_or_time_is_another_file_and_a_shorter_one_cannot_be_the_right_one():
    gathering = gathering_of((0, 100), (300, None))
    gathering.require_file(ContentRange(0, 100, 500), WRITTEN)
    assert gathering.missing == (Span(0, 100), Span(300, 500))

    for total, modified in ((501, WRITTEN), (500, None), (500, WRITTEN.replace(minute=41))):
        with pytest.raises(FileReplaced):
            gathering.require_file(ContentRange(0, 100, total), modified)
    with pytest.raises(PastEnd):
        gathering_of((0, 100), (300, None)).require_file(ContentRange(0, 100, 300), WRITTEN)
    with pytest.raises(PastEnd):
        gathering_of((0, 100), (200, 300)).require_file(ContentRange(0, 100, 299), WRITTEN)


@pytest.mark.parametrize(
    ("span", "understood"),
    [
        ((0, 100), True), ((200, 300), True), ((0, 300), True), ((200, 900_000), False),
        ((899_000, 900_000), True), ((0, 99), False), ((1, 100), False), ((100, 200), False),
        ((0, 900_000), False), ((300, 899_000), False),
    ],
)  # fmt: skip
def test_what_comes_begins_and_ends_where_something_asked_for_does(span, understood):
    gathering = gathering_of((0, 100), (200, 300), (899_000, None))
    asked = gathering.asks(several=True)
    came = ContentRange(*span, 900_000)
    gathering.require_file(came, WRITTEN)

    if understood:
        gathering.require_asked(came, asked)
        return
    with pytest.raises(RangesUnclear):
        gathering.require_asked(came, asked)


@pytest.mark.parametrize("pieces", [[b"GRIX"], [b"G", b"R", b"I", b"?"], [b"GR", b"IX"]])
def test_a_stretch_that_begins_with_anything_else_is_no_message(pieces):
    gathering = gathering_of((10, 100), (200, 300))
    gathering.require_file(ContentRange(10, 100, 400), WRITTEN)
    at = 200

    with pytest.raises(NotGrib, match="byte 200"):
        for piece in pieces:
            list(gathering.places(at, piece))
            at += len(piece)
