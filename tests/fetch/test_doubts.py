"""An inventory that lacks what is wanted is believed slowly, and never for good."""

from dataclasses import replace

import pytest

from tests.fetch.fakes.errands import HandClock, errand, inventory
from tests.fetch.fakes.messages import PRMSL, T2M, T850
from twf_async.fetch.doubts import Doubts
from twf_async.fetch.errors import FieldsLacking


def at(hour, *keys):
    return frozenset(replace(key, start_h=hour, end_h=hour) for key in keys)


def read(doubts, model, hour, *, told, wanted=(PRMSL, T2M), cycle="2026012912"):
    doubts.require_told(
        errand(model, cycle=cycle, hour=hour),
        inventory(*sorted(at(hour, *told)), cycle=cycle),
        at(hour, *wanted),
    )


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def doubts(clock):
    return Doubts(clock)


def test_the_second_reading_is_believed_and_later_hours_are_not_asked_twice(doubts, gfs):
    with pytest.raises(FieldsLacking, match="1 fields are not in it, among them TMP"):
        read(doubts, gfs, 6, told=[PRMSL])
    read(doubts, gfs, 6, told=[PRMSL])
    read(doubts, gfs, 9, told=[PRMSL])


def test_another_text_at_the_second_reading_is_doubted_again(doubts, gfs):
    with pytest.raises(FieldsLacking):
        read(doubts, gfs, 6, told=[PRMSL])
    with pytest.raises(FieldsLacking):
        read(doubts, gfs, 6, told=[PRMSL, T850])
    read(doubts, gfs, 6, told=[PRMSL, T2M, T850])


def test_the_next_run_is_doubted_anew(doubts, gfs):
    with pytest.raises(FieldsLacking):
        read(doubts, gfs, 6, told=[PRMSL])
    read(doubts, gfs, 6, told=[PRMSL])
    with pytest.raises(FieldsLacking):
        read(doubts, gfs, 6, told=[PRMSL], cycle="2026012918")


def test_what_several_hours_lacked_and_none_had_is_believed_of_the_next_run(doubts, gfs):
    with pytest.raises(FieldsLacking):
        read(doubts, gfs, 3, told=[PRMSL])
    for hour in (3, 6, 9):
        read(doubts, gfs, hour, told=[PRMSL])
    read(doubts, gfs, 3, told=[PRMSL], cycle="2026012918")

    read(doubts, gfs, 6, told=[PRMSL, T2M], cycle="2026012918")
    with pytest.raises(FieldsLacking):
        read(doubts, gfs, 3, told=[PRMSL], cycle="2026013000")


def test_what_other_hours_of_the_run_have_had_is_looked_for_again_after_a_while(doubts, clock, gfs):
    read(doubts, gfs, 6, told=[PRMSL, T2M])
    for _ in range(3):
        with pytest.raises(FieldsLacking):
            read(doubts, gfs, 9, told=[PRMSL])
    clock.move(10)
    read(doubts, gfs, 9, told=[PRMSL])


def test_what_the_run_before_has_had_is_looked_for_again_after_a_while(doubts, clock, gfs):
    """The first hour of a run has no others to go by."""
    read(doubts, gfs, 6, told=[PRMSL, T2M])
    for _ in range(3):
        with pytest.raises(FieldsLacking):
            read(doubts, gfs, 6, told=[PRMSL], cycle="2026012918")
    clock.move(10)
    read(doubts, gfs, 6, told=[PRMSL], cycle="2026012918")


def test_a_field_that_turns_up_after_all_is_doubted_where_it_is_lacking_next(doubts, gfs):
    with pytest.raises(FieldsLacking):
        read(doubts, gfs, 6, told=[PRMSL])
    read(doubts, gfs, 6, told=[PRMSL])
    read(doubts, gfs, 9, told=[PRMSL, T2M])
    with pytest.raises(FieldsLacking):
        read(doubts, gfs, 12, told=[PRMSL])


def test_the_first_hour_says_nothing_of_later_ones(doubts, gfs):
    """It has no totals and no means; the others have."""
    with pytest.raises(FieldsLacking):
        read(doubts, gfs, 0, told=[PRMSL])
    read(doubts, gfs, 0, told=[PRMSL])
    with pytest.raises(FieldsLacking):
        read(doubts, gfs, 3, told=[PRMSL])
