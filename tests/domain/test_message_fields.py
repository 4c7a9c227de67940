"""The grammar of fields, and which messages answer them at an hour."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.domain.fields import FieldSpec, MessageKey, Statistic, Window


def texts(spec, hour, bucket_h=6):
    found = FieldSpec.parse(spec).messages(hour, bucket_h)
    return None if found is None else [(file_hour, str(key)) for file_hour, key in found]


def test_an_instant_is_in_the_file_of_its_own_hour():
    assert texts("TMP:2 m above ground", 0) == [(0, "TMP:2 m above ground:anl")]
    assert texts("TMP:2 m above ground", 24) == [(24, "TMP:2 m above ground:24 hour fcst")]


def test_a_run_total_counts_from_hour_zero_and_does_not_exist_there():
    assert texts("APCP:surface:0-H acc", 6) == [(6, "APCP:surface:0-6 hour acc fcst")]
    assert texts("APCP:surface:0-H acc", 48) == [(48, "APCP:surface:0-2 day acc fcst")]
    assert texts("APCP:surface:0-H acc", 0) is None


def test_an_earlier_total_is_in_the_earlier_file_and_zero_at_the_start():
    assert texts("APCP:surface:0-(H-6) acc", 30) == [(24, "APCP:surface:0-1 day acc fcst")]
    assert texts("APCP:surface:0-(H-6) acc", 6) == []
    assert texts("APCP:surface:0-(H-6) acc", 3) is None


@pytest.mark.parametrize(
    ("hour", "window"),
    [(3, "0-3"), (6, "0-6"), (7, "6-7"), (9, "6-9"), (21, "18-21"), (117, "114-117")],
)
def test_buckets_of_the_gfs_start_every_six_hours(hour, window):
    """The windows that real inventories have at these hours."""
    found = texts("APCP:surface:bucket acc", hour)
    assert found == [(hour, f"APCP:surface:{window} hour acc fcst")]


def test_all_buckets_cover_the_run_without_a_gap():
    assert texts("APCP:surface:buckets acc", 15) == [
        (6, "APCP:surface:0-6 hour acc fcst"),
        (12, "APCP:surface:6-12 hour acc fcst"),
        (15, "APCP:surface:12-15 hour acc fcst"),
    ]
    assert texts("CSNOW:surface:buckets ave", 0) is None
    assert texts("CSNOW:surface:bucket ave", 0) is None


@given(st.integers(1, 384), st.integers(1, 12))
def test_buckets_of_any_length_meet_end_to_end(hour, bucket_h):
    found = FieldSpec.parse("APCP:surface:buckets acc").messages(hour, bucket_h)

    edges = [0, *(key.end_h for _, key in found)]
    assert [key.start_h for _, key in found] == edges[:-1]
    assert edges[-1] == hour
    assert all(file_hour == key.end_h for file_hour, key in found)
    (last,) = FieldSpec.parse("APCP:surface:bucket acc").messages(hour, bucket_h)
    assert last == found[-1]


def test_instants_of_all_buckets_lie_at_their_ends():
    assert texts("TMP:850 mb:buckets instant", 15) == [
        (6, "TMP:850 mb:6 hour fcst"),
        (12, "TMP:850 mb:12 hour fcst"),
        (15, "TMP:850 mb:15 hour fcst"),
    ]
    assert texts("TMP:850 mb:buckets instant", 0) is None


@given(st.integers(1, 384), st.integers(1, 12))
def test_every_bucket_has_its_instant_in_the_same_file(hour, bucket_h):
    amounts = FieldSpec.parse("APCP:surface:buckets acc").messages(hour, bucket_h)
    instants = FieldSpec.parse("TMP:700 mb:buckets instant").messages(hour, bucket_h)

    assert [file_hour for file_hour, _ in instants] == [file_hour for file_hour, _ in amounts]
    for (file_hour, instant), (_, amount) in zip(instants, amounts, strict=True):
        assert (instant.start_h, instant.end_h) == (file_hour, amount.end_h)
        assert instant.statistic is Statistic.INSTANT
        at_that_hour = FieldSpec.parse("TMP:700 mb").messages(file_hour, bucket_h)
        assert at_that_hour == ((file_hour, instant),)


WORDS = st.text(st.characters(codec="ascii", exclude_characters=":"), min_size=1).filter(
    lambda word: word.strip() == word
)
WINDOWS = {"0-H": (Window.RUN, 0), "0-(H-6)": (Window.RUN, 6), "0-(H-24)": (Window.RUN, 24)}
WINDOWS |= {"bucket": (Window.BUCKET, 0), "buckets": (Window.BUCKETS, 0)}


@given(WORDS, WORDS, st.sampled_from(sorted(WINDOWS)), st.sampled_from(Statistic))
def test_every_field_that_can_be_written_is_read_as_written(parameter, level, window, statistic):
    text = f"{parameter}:{level}:{window} {statistic}"
    if statistic is Statistic.INSTANT and window != "buckets":
        with pytest.raises(ValueError, match="is none of acc, ave, max, min"):
            FieldSpec.parse(text)
    else:
        kind, back_h = WINDOWS[window]
        assert FieldSpec.parse(text) == FieldSpec(parameter, level, kind, statistic, back_h)
    assert FieldSpec.parse(f"{parameter}:{level}") == FieldSpec(parameter, level)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "TMP",
        "TMP:",
        "TMP: 2 mb",
        "APCP:surface:0-H",
        "APCP:surface:0-H total",
        "APCP:surface:0-H instant",
        "TMP:850 mb:bucket instant",
        "APCP:surface:0-6 acc",
        "APCP:surface:bucketss acc",
        "APCP:surface:0-H acc:more",
    ],
)
def test_other_texts_are_refused_with_the_text_in_the_message(text):
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        FieldSpec.parse(text)


def test_the_parts_of_a_field_are_kept():
    assert FieldSpec.parse("APCP:surface:0-(H-24) acc") == FieldSpec(
        "APCP", "surface", Window.RUN, Statistic.ACCUMULATION, 24
    )
    assert FieldSpec.parse("REFC:entire atmosphere") == FieldSpec("REFC", "entire atmosphere")


@given(st.integers(0, 400), st.integers(0, 400))
def test_windows_are_in_days_if_and_only_if_start_and_length_are_whole_days(start, length):
    """The rule of wgrib2's Ftime1.c; f000 of the HRRR has `0-0 day acc fcst`."""
    key = MessageKey("APCP", "surface", start, start + length, Statistic.ACCUMULATION)

    match = re.fullmatch(r"(\d+)-(\d+) (hour|day) acc fcst", key.forecast)

    factor = 24 if match[3] == "day" else 1
    assert (int(match[1]) * factor, int(match[2]) * factor) == (start, start + length)
    assert (match[3] == "day") == (start % 24 == 0 and length % 24 == 0)
