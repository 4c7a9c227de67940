"""Walking GRIB2: real files against their idx, and nothing damaged passes in silence."""

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.grib2 import (
    BadEnd,
    BadSection,
    GribError,
    NotGrib,
    Truncated,
    UnsupportedEdition,
    field_bytes,
    walk,
)
from tests.domain import gribsmith as smith

TWO_PARTS = smith.message(
    smith.identification()
    + smith.field(smith.instant(2, 2))
    + smith.field(smith.instant(2, 3))[len(smith.grid()) :]
)
FILE = smith.message() + TWO_PARTS + smith.message()


def heads(data):
    return list(walk(io.BytesIO(data)))


def one(product, **keys):
    (head,) = heads(smith.message(smith.identification() + smith.field(product), **keys))
    return head


class OnlyForward(io.RawIOBase):
    """A stream such as a socket: no seek, a few bytes a time."""

    def __init__(self, data):
        self._inner = io.BytesIO(data)

    def readable(self):
        return True

    def seekable(self):
        return False

    def read(self, size=-1):
        return self._inner.read(min(size, 7) if size > 0 else size)


def test_real_files_give_exactly_the_lines_of_their_idx(test_data):
    checked = 0
    for idx in sorted(test_data.glob("nomads/**/*.idx")):
        with idx.with_suffix("").open("rb") as file:
            lines = [
                f"{number}:{head.offset}:d={head.cycle}:{head.text}:"
                for number, head in enumerate(walk(file), 1)
            ]

        assert lines == idx.read_text().splitlines()
        checked += len(lines)
    assert checked == 21


def test_the_old_global_file_has_its_winds_as_second_parts(test_data):
    (path,) = test_data.glob("gfs-2p5/*")
    with path.open("rb") as file:
        found = list(walk(file))

    assert len(found) == 344
    seconds = [head for head in found if head.part == 2]
    assert len(seconds) == 36
    assert {head.key.parameter for head in seconds} == {"VGRD"}
    assert all(head.parts == 2 for head in seconds)
    assert sum(head.key is None for head in found) == 2  # TMAX, TMIN: statistic not given
    assert {head.grid.digest for head in found} == {found[0].grid.digest}
    assert sum({head.offset: head.length for head in found}.values()) == path.stat().st_size
    assert "HGT:PV=-2e-06 (Km^2/kg/s) surface:72 hour fcst" in {head.text for head in found}
    assert "RH:0.33-1 sigma layer:72 hour fcst" in {head.text for head in found}


def test_a_field_knows_its_key_its_run_and_its_grid():
    (head,) = heads(smith.message())

    assert head.key == MessageKey("TMP", "2 m above ground", 6, 6, Statistic.INSTANT)
    assert head.reference == datetime(2026, 1, 29, 12, tzinfo=UTC)
    assert head.cycle == "2026012912"
    assert (head.grid.ni, head.grid.nj, head.grid.points, head.grid.template) == (3, 2, 6, 0)
    assert head.grid.corners == ((50.0, 235.0), (49.0, 237.0))
    assert (head.part, head.parts, head.values, head.packing) == (1, 1, 6, 0)


def test_windows_are_named_as_wgrib2_names_them():
    assert one(smith.interval(0, 6)).text == "APCP:surface:0-6 hour acc fcst"
    assert one(smith.interval(0, 24)).text == "APCP:surface:0-1 day acc fcst"
    assert one(smith.interval(18, 6)).text == "APCP:surface:18-24 hour acc fcst"
    assert one(smith.interval(0, 0)).text == "APCP:surface:0-0 day acc fcst"
    assert one(smith.interval(5, 1, 2)).text == "APCP:surface:5-6 hour max fcst"
    assert one(smith.instant(hour=0)).text == "TMP:2 m above ground:anl"
    assert one(smith.instant(hour=24)).text == "TMP:2 m above ground:24 hour fcst"


def test_windows_in_other_units_are_counted_in_hours():
    assert one(smith.interval(0, 360, unit=0, length_unit=0)).key.end_h == 6
    assert one(smith.interval(0, 1, length_unit=2)).text == "APCP:surface:0-1 day acc fcst"
    assert one(smith.instant(hour=1, unit=11)).text == "TMP:2 m above ground:6 hour fcst"
    assert one(smith.instant(hour=7200, unit=13)).text == "TMP:2 m above ground:2 hour fcst"


@pytest.mark.parametrize(
    "product",
    [
        smith.interval(0, 15, unit=0, length_unit=0),  # a quarter of an hour
        smith.interval(0, 6, statistic=6),  # standard deviation
        smith.interval(0, 6, statistic=255),
        smith.interval(0, 6, ranges=2),
        smith.instant(unit=3),  # months have no hours
        smith.section(4, b"\0\0\0\2" + smith.instant()[9:]),  # ensemble mean
        smith.section(4, b"\0\0\x7f\xff" + smith.instant()[9:]),  # no such template
    ],
)
def test_what_a_key_cannot_say_exactly_has_no_key_but_a_text(product):
    head = one(product)

    assert head.key is None
    assert head.text


def test_unknown_parameters_are_named_as_wgrib2_names_them():
    local = one(smith.instant(16, 201))
    assert local.key.parameter == "var discipline=0 center=7 local_table=1 parmcat=16 parm=201"
    wmo = one(smith.instant(19, 150))
    assert wmo.key.parameter == "var discipline=0 master_table=2 parmcat=19 parm=150"


def test_local_numbers_of_other_centres_keep_their_distance():
    body = smith.identification(center=98) + smith.field(smith.instant(1, 195))
    (head,) = heads(smith.message(body))
    assert head.key.parameter == "var discipline=0 center=98 local_table=1 parmcat=1 parm=195"


def test_parts_of_one_message_share_its_place():
    found = heads(FILE)

    assert [head.key.parameter for head in found] == ["TMP", "UGRD", "VGRD", "TMP"]
    assert [(head.part, head.parts) for head in found] == [(1, 1), (1, 2), (2, 2), (1, 1)]
    assert found[1].offset == found[2].offset == len(smith.message())


def test_each_part_can_be_had_as_a_message_of_its_own():
    stream = io.BytesIO(FILE)
    for head in heads(FILE):
        (alone,) = heads(field_bytes(stream, head))
        assert (alone.key, alone.grid) == (head.key, head.grid)
        assert (alone.part, alone.parts) == (1, 1)


def test_a_part_that_reuses_a_bitmap_brings_it_along():
    first = smith.grid() + smith.instant(2, 2) + smith.packing() + smith.section(6, b"\0\xfc")
    second = smith.instant(2, 3) + smith.packing() + smith.bitmap(254) + smith.DATA
    data = smith.message(smith.identification() + first + smith.DATA + second)

    _, wind = heads(data)

    assert smith.section(6, b"\0\xfc") in field_bytes(io.BytesIO(data), wind)
    with pytest.raises(BadSection, match="earlier bitmap"):
        heads(smith.message(smith.identification() + smith.field(indicator=254)))


def test_a_stream_that_cannot_seek_is_walked_all_the_same():
    assert list(walk(OnlyForward(FILE))) == heads(FILE)


def test_an_html_page_is_not_grib():
    with pytest.raises(NotGrib, match="<!DOCTYPE"):
        heads(b"<!DOCTYPE html><html><body>Over Rate Limit</body></html>")


def test_nothing_is_not_grib():
    with pytest.raises(NotGrib, match="nothing"):
        heads(b"")


def test_grib_of_the_first_edition_is_refused():
    with pytest.raises(UnsupportedEdition, match="edition 1"):
        heads(smith.message(edition=1))


def test_a_message_without_its_end_is_refused():
    with pytest.raises(BadEnd, match="at byte 0 ends in b'777x'"):
        heads(smith.message(end=b"777x"))


def test_bytes_between_messages_are_found():
    with pytest.raises(NotGrib) as error:
        heads(smith.message() + b"\0" + smith.message())
    assert error.value.offset == len(smith.message())


def test_bytes_after_the_last_message_are_found():
    with pytest.raises(NotGrib):
        heads(smith.message() + b"\n")


@pytest.mark.parametrize(
    "body",
    [
        smith.identification(),
        smith.field(),
        smith.identification() + smith.grid() + smith.packing() + smith.bitmap() + smith.DATA,
        smith.identification() + smith.field() + b"\0\0",
        smith.identification() + smith.grid() + smith.instant() + smith.packing(),
        smith.identification() + smith.section(3, b"\0" * 9),
        smith.identification() + smith.grid() + smith.section(4, b"\0\0\0\0\0"),
        smith.identification() + smith.grid() + smith.section(4, b"\0\0\0\x08\0\0\0\0"),
        smith.identification() + b"\xff\xff\xff\xff\x03",
        smith.identification().replace(b"\x01\x1d", b"\x0d\x1d") + smith.field(),  # month 13
    ],
)
def test_sections_that_do_not_fit_are_refused(body):
    with pytest.raises(BadSection):
        heads(smith.message(body))


def test_an_empty_message_is_refused():
    with pytest.raises(BadSection):
        heads(b"GRIB\0\0\0\2" + (20).to_bytes(8, "big") + b"7777")
    with pytest.raises(BadSection, match="claims 3 bytes"):
        heads(smith.message(length=3))


def test_good_messages_before_a_damaged_one_are_handed_out():
    seen = []
    with pytest.raises(Truncated):
        seen.extend(head.offset for head in walk(io.BytesIO(smith.message() + FILE[:40])))
    stream = walk(io.BytesIO(smith.message() + FILE[:40]))
    assert next(stream).offset == 0
    with pytest.raises(Truncated):
        next(stream)


BOUNDARIES = {0} | {head.offset for head in heads(FILE)}


@given(st.integers(0, len(FILE) - 1))
def test_a_file_cut_anywhere_never_passes_as_the_whole(length):
    """At a boundary between messages it is a shorter whole file: offsets end where it does."""
    if length in BOUNDARIES - {0}:
        found = heads(FILE[:length])
        assert found[-1].offset + found[-1].length == length
        assert len(found) < len(heads(FILE))
    else:
        with pytest.raises(GribError):
            heads(FILE[:length])


@given(st.binary(max_size=400))
def test_any_bytes_give_heads_or_a_typed_error(data):
    try:
        found = heads(data)
    except GribError:
        return
    assert sum({head.offset: head.length for head in found}.values()) == len(data)


@settings(max_examples=400)
@given(st.lists(st.tuples(st.integers(0, len(FILE) - 1), st.integers(0, 255)), min_size=1))
def test_flipped_bytes_give_heads_or_a_typed_error(flips):
    data = bytearray(FILE)
    for at, value in flips:
        data[at] = value
    try:
        found = heads(bytes(data))
    except GribError:
        return
    assert sum({head.offset: head.length for head in found}.values()) == len(data)


@given(st.binary(min_size=1, max_size=200), st.integers(0, len(FILE)))
def test_bytes_put_in_anywhere_are_never_overlooked(extra, at):
    try:
        found = heads(FILE[:at] + extra + FILE[at:])
    except GribError:
        return
    ends = {head.offset + head.length for head in found}
    assert max(ends) == len(FILE) + len(extra)


def test_a_real_file_cut_anywhere_in_its_first_megabytes_is_found_out(test_data):
    path = next(test_data.glob("nomads/**/hrrr.t17z.wrfsfcf06.grib2"))
    data = path.read_bytes()
    boundaries = {head.offset for head in walk(io.BytesIO(data))}
    for length in range(1, len(data), 9973):
        assert length not in boundaries
        with pytest.raises(Truncated):
            heads(data[:length])
