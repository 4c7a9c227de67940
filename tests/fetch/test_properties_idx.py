"""Whatever an inventory's text is: exact ranges or an error of ours, never other fields' bytes."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.models import GridSize
from tests.fetch.conftest import PNW
from tests.fetch.fakes.layouts import KEYS, KINDS, NAMELESS, POINTS, layout, spoil
from tests.fetch.fakes.messages import CYCLE
from twf_async.fetch.errors import SourceError
from twf_async.fetch.verify import Expectation, verify
from twf_async.plan import idx
from twf_async.plan.idx import IdxError, IdxTooLong, parse_idx
from twf_async.plan.selection import select

randoms = st.randoms(use_true_random=False)
wishes = st.frozensets(st.sampled_from(KEYS), min_size=1)


@pytest.fixture(scope="module")
def prove(tmp_path_factory):
    path = tmp_path_factory.mktemp("properties") / "file.grib2"

    def run(content, expected):
        path.write_bytes(content)
        return verify(path, expected)

    return run


def read(text):
    """As the fetching side reads it; None where it says by type that it cannot be used."""
    try:
        lines = parse_idx(text.decode("ascii", "replace"))
    except IdxError:
        return None
    return lines if lines[0].cycle == CYCLE else None


def expecting(lines, keys, count):
    members = any(line.extra for line in lines)
    return Expectation(CYCLE, keys, count, exact=True, members=members)


def ranges_of(made, selection):
    size = len(made.content)
    return [(r.start, size if r.end is None else r.end) for r in selection.ranges]


@given(randoms, wishes)
def test_the_true_text_gives_whole_messages_with_every_wanted_field(prove, random, wanted):
    made = layout(random)
    held = {kind.key for message in made.messages for kind in message.fields}

    lines = read(made.text)
    selection = select(lines, wanted, box=None, has_filter=False)

    assert selection.present == wanted & held
    assert selection.missing == wanted - held
    ranges = ranges_of(made, selection)
    keys = made.keys_within(ranges)
    assert selection.present <= set(keys)
    content = b"".join(made.content[start:end] for start, end in ranges)
    if content:
        count = sum(len(r.lines) for r in selection.ranges)
        verified = prove(content, expecting(lines, selection.present, count))
        assert verified.keys == tuple(dict.fromkeys(keys))


@settings(max_examples=250)
@given(randoms, wishes)
def test_a_spoilt_text_gives_an_error_or_still_the_right_bytes(prove, random, wanted):
    made = layout(random)
    text, _ = spoil(random, made)
    lines = read(text)
    if lines is None:
        return
    selection = select(lines, wanted, box=None, has_filter=False)
    assert selection.present | selection.missing == wanted
    assert not selection.present & selection.missing
    ranges = ranges_of(made, selection)
    if not ranges or any(not a < b <= len(made.content) for a, b in ranges):
        return  # nothing is asked for, or the other side answers 416 or less than asked
    count = sum(len(r.lines) for r in selection.ranges)
    content = b"".join(made.content[start:end] for start, end in ranges)
    try:
        verified = prove(content, expecting(lines, selection.present, count))
    except SourceError:
        return
    keys = made.keys_within(ranges)
    assert selection.present <= set(keys)
    assert verified.keys == tuple(dict.fromkeys(keys))


@given(randoms, wishes)
def test_the_filter_is_asked_for_each_wanted_field_once_and_its_answer_is_foreseen(random, wanted):
    made = layout(random)
    lines = read(made.text)

    selection = select(lines, wanted, box=PNW, grid=GridSize(points=POINTS, step_deg=0.25))

    if any(key.parameter == NAMELESS for key in selection.present):
        assert selection.method == "RANGES"
    asked = [key for request in selection.filters for key in request.wanted]
    assert len(asked) == len(set(asked))
    if selection.method == "FILTERED":
        assert set(asked) == selection.present
    for request in selection.filters:
        brought = [
            line
            for line in lines
            if line.parameter in request.parameters and line.level in request.levels
        ]
        assert list(request.lines) == brought
        assert request.wanted <= {line.key for line in brought}


@given(st.binary(max_size=400), wishes)
def test_any_bytes_are_an_inventory_or_an_error(text, wanted):
    lines = read(text)
    if lines is not None:
        select(lines, wanted, box=None, has_filter=False)


@given(randoms, st.integers(0, 10_000), st.sampled_from([*range(32), *range(127, 256)]))
def test_one_byte_that_no_inventory_has_spoils_all_of_it(random, position, value):
    if value == ord("\n"):
        return
    text = layout(random).text
    position %= len(text)

    assert read(text[:position] + bytes([value]) + text[position:]) is None


def test_what_no_key_names_is_kept_and_counted_but_never_served():
    made = next(
        made
        for made in map(layout, map(Random, range(100)))
        if any(kind.key is None for message in made.messages for kind in message.fields)
    )
    lines = read(made.text)

    told = [kind.key for message in made.messages for kind in message.fields]
    assert [line.key for line in lines] == told


def test_the_made_files_show_all_of_the_grammar():
    seen = Counter()
    for seed in range(200):
        made = layout(Random(seed))
        text = made.text.decode()
        seen["parts"] += ".2:" in text
        seen["members"] += "ENS=+1\n" in text
        seen["days"] += "0-1 day acc" in text
        seen["nameless"] += NAMELESS in text
        seen["no key"] += "15 min" in text
        seen["doubled"] += any(
            a.fields == b.fields for a, b in zip(made.messages, made.messages[1:], strict=False)
        )
    assert min(seen[kind] for kind in ("parts", "members", "days", "nameless", "no key")) > 20
    assert seen["doubled"] > 20


def test_every_kind_of_field_is_named_alike_by_its_text_and_by_its_bytes(prove):
    for seed in range(60):
        made = layout(Random(seed), most=3)
        lines = read(made.text)
        told = [line.key for line in lines if line.key is not None]
        expected = replace(expecting(lines, frozenset(told), 1), exact=False)
        verified = prove(made.content, expected)
        assert verified.keys == tuple(dict.fromkeys(told))
    assert len({kind.text for kind in KINDS}) == len(KINDS)


def test_megabytes_are_refused_before_they_are_read():
    row = "1:0:d=2026012912:TMP:2 m above ground:6 hour fcst:\n"

    with pytest.raises(IdxTooLong):
        parse_idx(row * (10_000_000 // len(row)))


@pytest.mark.parametrize("times", [1, 4])
def test_the_work_grows_with_the_length_and_no_faster(times, monkeypatch):
    """Counted, not timed: how often a line is looked at, and how many lines a selection copies."""
    rows, looked = 1000 * times, Counter()
    line_of = idx._line

    def counted(row):
        looked["lines"] += 1
        return line_of(row)

    monkeypatch.setattr(idx, "_line", counted)
    text = "".join(
        f"{n}:{n * 1000 - 1000}:d=2026012912:F{n}:surface:6 hour fcst:\n"
        for n in range(1, rows + 1)
    )
    lines = parse_idx(text)
    wanted = frozenset(
        MessageKey(f"F{n}", "surface", 6, 6, Statistic.INSTANT) for n in (1, rows // 2, rows)
    )
    selection = select(lines, wanted, box=None, has_filter=False)

    assert looked["lines"] == rows
    assert sum(len(r.lines) for r in selection.ranges) <= rows
