"""Files put together anew: any range is a part of the whole, and the .idx tells the truth."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from twf_async.replica.faults.layout import Layout, past_end
from twf_async.replica.wording import read_inventory


@st.composite
def sources(draw):
    """Bytes that are no GRIB, and an .idx over them; lines may share an offset (sub-messages)."""
    lengths = draw(st.lists(st.integers(1, 40), min_size=1, max_size=12))
    lines, at = [], 0
    for number, length in enumerate(lengths, start=1):
        parts = draw(st.integers(1, 2))
        for part in range(1, parts + 1):
            shown = f"{number}.{part}" if parts > 1 else f"{number}"
            lines.append(f"{shown}:{at}:d=2026012912:V{number}:surface:{part} hour fcst:\n")
        at += length
    return bytes(byte % 251 for byte in range(at)), "".join(lines)


def laid_out(data, text, missing, *, again):
    held = read_inventory(text, len(data))
    layout = Layout.of(held, len(data)).without(held[missing % len(held)].offset)
    return held, layout.rerun() if again else layout


def reader(data):
    return lambda start, end: iter([data[start:end]])


@given(sources(), st.integers(0, 99), st.booleans(), st.integers(0, 500), st.integers(0, 500))
def test_any_range_is_a_part_of_the_whole(source, missing, again, start, end):
    data, text = source
    _, layout = laid_out(data, text, missing, again=again)
    whole = b"".join(layout.read(reader(data), 0, layout.size))
    assert len(whole) == layout.size
    assert b"".join(layout.read(reader(data), start, end)) == whole[start:end]


@given(sources(), st.integers(0, 99), st.booleans())
def test_the_idx_names_the_messages_of_the_new_file(source, missing, again):
    data, text = source
    held, layout = laid_out(data, text, missing, again=again)
    made = read_inventory(layout.idx(text), layout.size)
    assert made == layout.messages(held)
    whole = b"".join(layout.read(reader(data), 0, layout.size))
    before = {(m.parameter, m.forecast): data[m.offset : m.offset + m.length] for m in held}
    for message in made:
        octets = whole[message.offset : message.offset + message.length]
        assert octets.startswith(before[message.parameter, message.forecast])
    numbers = [int(line.partition(":")[0].split(".")[0]) for line in layout.idx(text).splitlines()]
    assert all(later - number in {0, 1} for number, later in pairwise(numbers))


@given(sources())
def test_an_idx_past_the_end_has_lines_in_the_file_and_behind_it(source):
    data, text = source
    offsets = [m.offset for m in read_inventory(past_end(text, len(data)), 10**6)]
    assert offsets[-1] >= len(data)
    assert len(offsets) < 3 or offsets[0] == 0
