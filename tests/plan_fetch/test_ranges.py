from hypothesis import given
from hypothesis import strategies as st

from tests.plan_fetch.wishes import GFS_F006, keys_of
from twf_async.plan.idx import parse_idx
from twf_async.plan.ranges import merged_ranges


def test_real_ranges_are_merged_and_a_doubled_field_is_taken_once(inventory):
    lines = inventory(GFS_F006)
    wanted = keys_of(lines)

    ranges = merged_ranges(lines, wanted, gap_bytes=0)

    taken = [line.key for stretch in ranges for line in stretch.lines]
    assert len(taken) == len(set(taken)) == len(wanted)
    by_number = {line.number: line for line in lines}
    for stretch in ranges:
        assert stretch.start == stretch.lines[0].offset
        assert stretch.end == by_number[stretch.lines[-1].number + 1].offset


KINDS = [f"F{number}" for number in range(8)]


@st.composite
def inventories(draw):
    names = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=20))
    sizes = [draw(st.integers(1, 10**6)) for _ in names]
    rows, offset = [], 0
    for number, (name, size) in enumerate(zip(names, sizes, strict=True), 1):
        rows.append(f"{number}:{offset}:d=2026012912:{name}:surface:6 hour fcst:\n")
        offset += size
    return parse_idx("".join(rows)), offset


@given(inventories(), st.sets(st.sampled_from(KINDS)), st.integers(0, 10**6), st.booleans())
def test_ranges_hold_every_wanted_field_once_in_whole_messages(made, names, gap, size_known):
    lines, total = made
    wanted = keys_of(lines, {f"{name}:surface" for name in names})

    ranges = merged_ranges(lines, wanted, total_bytes=total if size_known else None, gap_bytes=gap)

    assert wanted <= {line.key for stretch in ranges for line in stretch.lines}
    offsets = {line.offset for line in lines} | {total}
    previous_end = -1
    for stretch in ranges:
        end = total if stretch.end is None else stretch.end
        assert {stretch.start, end} <= offsets
        assert previous_end < stretch.start < end or previous_end == stretch.start < end
        inside = [line for line in lines if stretch.start <= line.offset < end]
        assert list(stretch.lines) == inside
        assert (stretch.end is None) == (end == total and not size_known)
        assert stretch.lines[0].key in wanted
        assert stretch.lines[-1].key in wanted
        previous_end = end


def test_stretches_are_not_joined_across_what_is_here_already():
    lines = parse_idx(
        "1:0:d=2026012912:TMP:2 m above ground:6 hour fcst:\n"
        "2:900:d=2026012912:DPT:2 m above ground:6 hour fcst:\n"
        "3:1800:d=2026012912:RH:2 m above ground:6 hour fcst:\n"
    )
    first, between, last = (line.key for line in lines)
    wanted = frozenset({first, last})

    joined = merged_ranges(lines, wanted, total_bytes=2700)
    apart = merged_ranges(lines, wanted, total_bytes=2700, held=frozenset({between}))

    assert [(each.start, each.end) for each in joined] == [(0, 2700)]
    assert [(each.start, each.end) for each in apart] == [(0, 900), (1800, 2700)]
