import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fetch.fakes.messages import CUT_OUT, CYCLE, PRMSL, T2M, T850, WHOLE_GRID, message
from twf_async.fetch.errors import NotGrib, SourceError, Truncated, WrongGrid, WrongMessages
from twf_async.fetch.verify import Expectation, verify

GOOD = message(T2M, grid=CUT_OUT, payload=bytes(range(200))) + message(PRMSL, grid=CUT_OUT)
EXPECTED = Expectation(CYCLE, frozenset({T2M, PRMSL}), 2, exact=True)


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    path = tmp_path_factory.mktemp("verify") / "file.grib2"

    def run(content, expected=EXPECTED):
        path.write_bytes(content)
        return verify(path, expected)

    return run


def test_a_whole_file_is_proven_with_all_its_fields(check):
    verified = check(GOOD)

    assert (verified.keys, verified.bytes) == ((T2M, PRMSL), len(GOOD))
    assert len(verified.sha256) == 64


@given(st.integers(0, len(GOOD) - 1))
def test_a_file_cut_anywhere_is_refused(check, length):
    with pytest.raises((Truncated, NotGrib)):
        check(GOOD[:length])


@given(st.binary(max_size=400))
def test_any_bytes_are_verified_or_refused_by_type(check, content):
    with pytest.raises(SourceError):
        check(content)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_leaves_the_right_fields(check, position, change):
    spoilt = bytearray(GOOD)
    spoilt[position] ^= change
    try:
        verified = check(bytes(spoilt))
    except SourceError:
        return
    assert EXPECTED.wanted <= set(verified.keys)


@given(st.binary(min_size=1, max_size=30))
def test_anything_behind_the_last_message_is_refused(check, tail):
    with pytest.raises((Truncated, NotGrib)):
        check(GOOD + tail)


def test_a_cross_product_may_bring_more_but_byte_ranges_may_not(check):
    more = GOOD + message(T850, grid=CUT_OUT)

    filtered = Expectation(CYCLE, EXPECTED.wanted, 2, exact=False)
    assert T850 in check(more, filtered).keys
    with pytest.raises(WrongMessages):
        check(more)


def test_less_than_the_cross_product_is_truncated_though_the_wanted_are_there(check):
    with pytest.raises(Truncated, match="2 fields, the inventory promised 3"):
        check(GOOD, Expectation(CYCLE, EXPECTED.wanted, 3, exact=False))


def test_another_run_is_refused(check):
    with pytest.raises(WrongMessages, match="2026012906"):
        check(message(T2M, cycle="2026012906"), Expectation(CYCLE, frozenset(), 1, exact=True))


def test_grids_are_held_to_the_models(check, gfs):
    wanted = frozenset({T2M})
    whole = Expectation(CYCLE, wanted, 1, exact=True, grid=gfs.grid)
    cut = Expectation(CYCLE, wanted, 1, exact=False, grid=gfs.grid, cut_to_points=2346)
    nearly_all = Expectation(CYCLE, wanted, 1, exact=False, grid=gfs.grid, cut_to_points=10**6)

    check(message(T2M, grid=WHOLE_GRID), whole)
    check(message(T2M, grid=CUT_OUT), cut)
    check(message(T2M, grid=WHOLE_GRID), nearly_all)
    with pytest.raises(WrongGrid):
        check(message(T2M, grid=CUT_OUT), whole)
    with pytest.raises(WrongGrid):
        check(message(T2M, grid=WHOLE_GRID), cut)
