import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from render_farm.domain.fields import MessageKey, Statistic
from twf_async.plan.idx import (
    IdxCut,
    IdxDisordered,
    IdxEmpty,
    IdxError,
    IdxNotText,
    IdxUnreadable,
    parse_forecast,
    parse_idx,
)

HEAD = "1:0:d=2026012912:PRMSL:mean sea level:6 hour fcst:\n"

windows = st.one_of(
    st.integers(0, 400).map(lambda hour: (hour, hour, Statistic.INSTANT)),
    st.tuples(
        st.integers(0, 400),
        st.integers(0, 240),
        st.sampled_from([s for s in Statistic if s is not Statistic.INSTANT]),
    ).map(lambda window: (window[0], window[0] + window[1], window[2])),
)
words = st.text("ABCDEFGHIJ 0123456789-._()^/=%", min_size=1, max_size=20)
keys = st.builds(lambda p, level, w: MessageKey(p, level, *w), words, words, windows)


@st.composite
def inventories(draw):
    rows, offset = [], 0
    for number, key in enumerate(draw(st.lists(keys, min_size=1, max_size=12)), 1):
        rows.append(f"{number}:{offset}:d=2026012912:{key}:")
        offset += draw(st.integers(1, 10**9))
    return rows


@given(keys)
@example(MessageKey("APCP", "surface", 0, 24, Statistic.ACCUMULATION))
@example(MessageKey("WIND", "10 m above ground", 0, 0, Statistic.MAXIMUM))
def test_a_line_gives_back_the_key_it_was_written_from(key):
    (line,) = parse_idx(f"1:0:d=2026012912:{key}:\n")

    assert line.key == (None if key.parameter.startswith("var ") else key)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("anl", (0, 0, Statistic.INSTANT)),
        ("24 hour fcst", (24, 24, Statistic.INSTANT)),
        ("18-24 hour acc fcst", (18, 24, Statistic.ACCUMULATION)),
        ("0-1 day acc fcst", (0, 24, Statistic.ACCUMULATION)),
        ("0-24 hour acc fcst", (0, 24, Statistic.ACCUMULATION)),
        ("0-5 day acc fcst", (0, 120, Statistic.ACCUMULATION)),
        ("0-0 day max fcst", (0, 0, Statistic.MAXIMUM)),
        ("5-6 hour min fcst", (5, 6, Statistic.MINIMUM)),
        ("0-6 hour ave fcst", (0, 6, Statistic.AVERAGE)),
        ("15 min fcst", None),
        ("6-0 hour acc fcst", None),
        ("0-6 hour std fcst", None),
        ("٦ hour fcst", None),
    ],
)
def test_forecast_texts_mean_hours(text, window):
    assert parse_forecast(text) == window


def test_a_parameter_without_a_name_is_called_as_wgrib2_calls_it():
    text = "var discipline=0 center=7 local_table=1 parmcat=16 parm=201"
    lines = parse_idx(HEAD + f"2:9:d=2026012912:{text}:entire atmosphere:6 hour fcst:\n")

    assert str(lines[1].key) == f"{text}:entire atmosphere:6 hour fcst"


def test_lines_of_unknown_wordings_are_kept_without_a_key():
    lines = parse_idx(HEAD + "2:9:d=2026012912:REFC:entire atmosphere:15 min fcst:\n")

    assert [line.key for line in lines[1:]] == [None]
    assert [line.offset for line in lines] == [0, 9]


def test_two_fields_of_one_message_share_its_offset():
    lines = parse_idx(
        "1.1:0:d=2011100800:UGRD:10 mb:72 hour fcst:\n1.2:0:d=2011100800:VGRD:10 mb:72 hour fcst:\n"
        "2:7:d=2011100800:TMP:10 mb:72 hour fcst:\n"
    )

    assert [(line.number, line.part, line.offset) for line in lines] == [
        (1, 1, 0),
        (1, 2, 0),
        (2, 0, 7),
    ]


def test_a_field_twice_is_two_lines():
    row = "APCP:surface:0-6 hour acc fcst:\n"
    lines = parse_idx(f"1:0:d=2026012912:{row}2:358797:d=2026012912:{row}")

    assert lines[0].key == lines[1].key


def test_members_keep_their_key_and_means_and_probabilities_have_none():
    row = "d=2026012912:TMP:2 m above ground:6 hour fcst"
    lines = parse_idx(f"1:0:{row}:ENS=+1\n2:5:{row}:ens mean\n3:8:{row}:prob >273:prob fcst 1/31\n")

    assert [line.key is not None for line in lines] == [True, False, False]
    assert lines[2].extra == "prob >273:prob fcst 1/31"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", IdxEmpty),
        (" \n\n", IdxEmpty),
        ("<!DOCTYPE html>\n<html></html>\n", IdxNotText),
        (HEAD[:-1], IdxCut),
        (HEAD + "2:882640:d=2026012912:TM", IdxCut),
        (HEAD[:-2] + "\n", IdxCut),
        (HEAD + "nonsense\n", IdxUnreadable),
        (HEAD + "\n", IdxUnreadable),
        (HEAD.replace("1:0", "2:0"), IdxDisordered),
        (HEAD.replace("1:0", "1:7"), IdxDisordered),
        (HEAD + HEAD, IdxDisordered),
        (HEAD + HEAD.replace("1:0", "2:0"), IdxDisordered),
        (HEAD + HEAD.replace("1:0", "3:9"), IdxDisordered),
        (HEAD + HEAD.replace("1:0", "2.2:9"), IdxDisordered),
        (HEAD + HEAD.replace("1:0:d=2026012912", "2:9:d=2026012906"), IdxDisordered),
    ],
)
def test_what_cannot_be_trusted_is_refused_by_type(text, kind):
    with pytest.raises(kind):
        parse_idx(text)


@given(inventories(), st.randoms())
def test_a_shuffled_inventory_is_refused(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    if shuffled == rows:
        assert len(parse_idx("\n".join(rows) + "\n")) == len(rows)
    else:
        with pytest.raises(IdxDisordered):
            parse_idx("\n".join(shuffled) + "\n")


@given(inventories(), st.data())
def test_an_inventory_with_a_line_lost_is_refused_or_only_shorter(rows, data):
    """A line lost at the end cannot be seen here; the bytes will tell."""
    lost = data.draw(st.integers(0, len(rows) - 1))
    text = "".join(row + "\n" for position, row in enumerate(rows) if position != lost)
    if lost == len(rows) - 1 and text:
        assert len(parse_idx(text)) == lost
    else:
        with pytest.raises(IdxError):
            parse_idx(text)


@given(inventories(), st.data())
def test_an_inventory_cut_anywhere_is_refused_or_whole_lines(rows, data):
    text = "".join(row + "\n" for row in rows)
    cut = text[: data.draw(st.integers(0, len(text)))]
    try:
        lines = parse_idx(cut)
    except IdxError:
        return
    assert lines == parse_idx(text)[: len(lines)]


@given(st.text(max_size=300))
@example("1:0:d=2026012912:A:B:anl:\r\n")
@example("1:0:d=2026012912:A:B:anl:\x0b\n")
def test_any_text_gives_lines_or_a_typed_error(text):
    try:
        lines = parse_idx(text)
    except IdxError:
        return
    assert lines[0].offset == 0


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("gfs.t12z.pgrb2.0p25.f000.idx", 696),
        ("gfs.t12z.pgrb2.0p25.f006.idx", 743),
        ("gfs.t12z.pgrb2.0p25.f024.idx", 743),
        ("hrrr.t17z.wrfsfcf00.grib2.idx", 170),
        ("hrrr.t17z.wrfsfcf06.grib2.idx", 173),
    ],
)
def test_real_inventories_are_read_whole_and_name_every_field_they_can(test_data, name, count):
    lines = parse_idx((test_data / "idx" / name).read_text())

    assert len(lines) == count
    for line in lines:
        assert str(line.key) == f"{line.parameter}:{line.level}:{line.forecast}"
