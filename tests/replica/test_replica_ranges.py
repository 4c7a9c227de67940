"""The Range header against RFC 9110, by construction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twf_async.replica.ranges import Span, Unsatisfiable, parse_range

SIZES = st.integers(1, 10_000)
_FIRST_LAST = st.tuples(st.integers(0, 12_000), st.integers(0, 12_000)).map(sorted)
_SPECS = st.one_of(
    _FIRST_LAST.map(lambda pair: f"{pair[0]}-{pair[1]}"),
    st.integers(0, 12_000).map(lambda first: f"{first}-"),
    st.integers(0, 12_000).map(lambda last: f"-{last}"),
)


def expected(spec: str, size: int) -> set[int]:
    """The positions a spec names, by listing them."""
    first, last = spec.split("-")
    if not first:
        return set(range(size)[-int(last) :]) if int(last) else set()
    return set(range(size)[int(first) : int(last) + 1 if last else None])


@given(st.lists(_SPECS, min_size=1, max_size=5), SIZES)
def test_valid_specs_give_exactly_the_bytes_they_name(specs, size):
    named = [positions for spec in specs if (positions := expected(spec, size))]
    header = "bytes=" + ", ".join(specs)
    if not named:
        with pytest.raises(Unsatisfiable):
            parse_range(header, size)
        return
    spans = parse_range(header, size)
    assert spans is not None
    assert [set(range(span.start, span.end)) for span in spans] == named


@given(st.text(max_size=40), SIZES)
def test_any_text_gives_spans_inside_the_file_or_none_or_416(text, size):
    for header in (text, f"bytes={text}"):
        try:
            spans = parse_range(header, size)
        except Unsatisfiable:
            continue
        assert spans is None or all(0 <= span.start < span.end <= size for span in spans)


@pytest.mark.parametrize(
    "header", [None, "", "bytes", "bytes=", "bytes=-", "bytes=5-4", "lines=0-1", "bytes=a-b"]
)
def test_headers_that_are_to_be_ignored_give_the_whole_file(header):
    assert parse_range(header, 100) is None


def test_an_open_range_of_an_empty_file_cannot_be_satisfied():
    with pytest.raises(Unsatisfiable):
        parse_range("bytes=0-", 0)


def test_the_content_range_counts_the_last_byte_in():
    assert Span(10, 20).content_range(100) == "bytes 10-19/100"
