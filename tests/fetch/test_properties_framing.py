"""Any body in any pieces: the exact spans that its heads promise, or an error of ours."""

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fetch.fakes.nomads import BOUNDARY, parts
from twf_async.fetch.errors import SourceError, TooMuch
from twf_async.fetch.framing import Begun, Bytes, Ended, Multipart, OneRange, boundary_of
from twf_async.fetch.spans import ContentRange, Span, range_header, read_content_range

CONTENT = bytes(range(256)) * 4
# Data that looks like what stands between parts.
TRICKY = f"\r\n--{BOUNDARY}\r\nContent-Range: bytes 0-9/99\r\n\r\n--{BOUNDARY}--\r\n".encode()
SPANS = st.lists(
    st.tuples(st.integers(0, 900), st.integers(1, 120)).map(lambda at: (at[0], at[0] + at[1])),
    min_size=1,
    max_size=6,
)
CUTS = st.lists(st.integers(0, 2000), max_size=40)
BODIES = st.one_of(
    st.binary(max_size=400),
    st.lists(
        st.sampled_from(
            [
                b"\r\n", b"--", BOUNDARY.encode(), b"\r\n--" + BOUNDARY.encode(), b"\r\n\r\n",
                b"Content-Range: bytes 0-3/9", b"content-range:bytes 4-8/9", b"abcd", b"efghi",
                b"Content-Range: bytes 5-4/9", b" ", b":", b"\0",
            ]
        ),
        max_size=24,
    ).map(b"".join),
)  # fmt: skip


def chunks(body, cuts):
    edges = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    return [body[a:b] for a, b in pairwise(edges)]


def read(framing, pieces):
    """The spans that were whole: (range, bytes). An error ends it; it is handed back."""
    whole, data, begun = [], b"", None
    try:
        for piece in [*pieces, None]:
            for event in framing.finish() if piece is None else framing.feed(piece):
                match event:
                    case Begun(span):
                        assert begun is None, "a span begins in a span"
                        begun, data = span, b""
                    case Bytes(at, came):
                        assert begun is not None
                        assert at == begun.start + len(data)
                        data += came
                    case Ended():
                        assert begun is not None
                        whole.append((begun, data))
                        begun = None
    except SourceError as error:
        return whole, error
    return whole, None


@given(SPANS, CUTS, st.sampled_from([CONTENT, TRICKY * 20]))
@example([(0, 120), (120, 130)], list(range(2000)), TRICKY * 20)
def test_an_answer_in_parts_is_read_exactly_in_whatever_pieces_it_comes(spans, cuts, content):
    whole, error = read(Multipart(BOUNDARY), chunks(parts(content, spans), cuts))

    assert error is None
    assert whole == [(ContentRange(a, b, len(content)), content[a:b]) for a, b in spans]


@given(SPANS, CUTS)
def test_the_end_of_line_before_the_first_boundary_may_be_missing(spans, cuts):
    whole, error = read(Multipart(BOUNDARY), chunks(parts(CONTENT, spans)[2:], cuts))

    assert error is None
    assert [data for _, data in whole] == [CONTENT[a:b] for a, b in spans]


@given(SPANS, CUTS, st.integers(0, 5000))
def test_an_answer_cut_anywhere_gives_the_parts_before_the_cut(spans, cuts, at):
    body = parts(CONTENT, spans)
    at %= len(body) - 2  # the last end of line is not needed

    whole, error = read(Multipart(BOUNDARY), chunks(body[:at], cuts))

    assert error is not None
    assert whole == [(ContentRange(a, b, 1024), CONTENT[a:b]) for a, b in spans][: len(whole)]


@settings(max_examples=400)
@given(SPANS, CUTS, st.data())
def test_a_spoilt_answer_gives_parts_as_long_as_they_say_or_an_error(spans, cuts, data):
    body = bytearray(parts(CONTENT, spans))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        match data.draw(st.sampled_from(["flip", "lose", "add"])):
            case "flip":
                body[at] ^= 1 << data.draw(st.integers(0, 7))
            case "lose":
                del body[at : at + data.draw(st.integers(1, 50))]
            case _:
                body[at:at] = data.draw(st.binary(min_size=1, max_size=20))
        if not body:
            return

    whole, _ = read(Multipart(BOUNDARY), chunks(bytes(body), cuts))

    for span, came in whole:
        assert len(came) == span.end - span.start


@settings(max_examples=400)
@given(BODIES, CUTS)
def test_any_bytes_are_read_alike_in_whatever_pieces_they_come(body, cuts):
    at_once, error = read(Multipart(BOUNDARY), [body])
    in_pieces, other = read(Multipart(BOUNDARY), chunks(body, cuts))

    assert (in_pieces, type(other)) == (at_once, type(error))
    assert all(len(came) == span.end - span.start for span, came in at_once)


@given(st.integers(0, 900), st.integers(1, 100), CUTS, st.integers(-100, 100))
def test_one_range_is_whole_where_exactly_as_much_comes_as_was_promised(start, size, cuts, more):
    span = ContentRange(start, start + size, 1024)
    body = CONTENT[start : start + size + more] if size + more > 0 else b""

    whole, error = read(OneRange(span), chunks(body, cuts))

    assert whole == ([(span, body)] if len(body) == size else [])
    assert (error is None) == (len(body) == size)
    assert isinstance(error, TooMuch) == (len(body) > size)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/byteranges; boundary=3d6b6a416f9b5", "3d6b6a416f9b5"),
        ('multipart/byteranges; boundary="a b:c"', "a b:c"),
        ("Multipart/ByteRanges;charset=x; BOUNDARY=x'y", "x'y"),
        ("multipart/byteranges", None),
        ("multipart/byteranges; boundary=", None),
        ("multipart/byteranges; boundary=" + "x" * 71, None),
        ('multipart/byteranges; boundary="\u20ac"', None),
        ("multipart/form-data; boundary=x", None),
        ("application/octet-stream", None),
        ("", None),
    ],
)
def test_the_boundary_is_read_from_the_type_of_the_content(content_type, boundary):
    assert boundary_of(content_type) == boundary


@given(st.text(max_size=80))
def test_any_type_of_content_has_a_boundary_that_can_be_written_or_none(text):
    for header in (text, f"multipart/byteranges; boundary={text}"):
        boundary = boundary_of(header)
        assert boundary is None or Multipart(boundary)


def test_a_head_without_end_and_a_part_of_gigabytes_cost_no_memory():
    begin = f"--{BOUNDARY}\r\n".encode()
    head = f"Content-Range: bytes 0-{(1 << 34) - 1}/{1 << 35}\r\n\r\n".encode()
    chunk = bytes(1 << 20)
    tracemalloc.start()
    try:
        endless, error = read(Multipart(BOUNDARY), [begin, *(b"x: y\r\n" * 10_000,) * 50])
        long = Multipart(BOUNDARY)
        came = sum(len(list(long.feed(piece))) for piece in [begin + head, *(chunk,) * 64])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (endless, error.reason) == ([], "several byte ranges not understood")
    assert came == 65  # where it begins, and every chunk
    assert peak < 4 << 20


@given(st.integers(0, 10**14), st.integers(1, 10**12))
def test_spans_are_written_and_read_as_http_counts_them(start, size):
    assert range_header([Span(start, start + size)]) == f"bytes={start}-{start + size - 1}"
    assert range_header([Span(0, 1), Span(start, None)]) == f"bytes=0-0,{start}-"
    told = ContentRange(start, start + size, start + size)
    assert read_content_range(str(told)) == told


@pytest.mark.parametrize(
    "text",
    ["", "bytes */9", "bytes 0-9/9", "bytes 5-4/9", "bytes 0-3/*", "bytes=0-3/9", "bytes -1-3/9",
     "items 0-3/9", "bytes 0-3/9, bytes 4-5/9", "bytes ٣-٤/٩"],
)  # fmt: skip
def test_what_is_no_span_of_a_file_is_none(text):
    assert read_content_range(text) is None
