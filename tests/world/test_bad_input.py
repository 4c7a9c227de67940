"""Whatever a file holds, the worker answers: what it can draw, and a reason for the rest."""

import random
import struct
from dataclasses import replace

import numpy as np
import pytest

from render_farm.domain.fields import FieldSpec
from render_farm.domain.grib2 import walk
from render_farm.domain.jobs import HourRendered, MessageSource, Reason
from tests.decode.gribmint import LAMBERT, LATLON, mint
from tests.world.painting import HOUR, job_of, region_of

HERE = {"west": -120, "east": -108, "south": 45, "north": 55, "width_px": 320, "height_px": 280}
BAD, GOOD = "TMP:2 m above ground", "TMP:850 mb"
AT_850 = {"typeOfFirstFixedSurface": 100, "scaledValueOfFirstFixedSurface": 85000}
RATE = {
    "parameterCategory": 1,
    "parameterNumber": 7,
    "typeOfFirstFixedSurface": 1,
    "scaleFactorOfFirstFixedSurface": 255,
}
POINTS = 31 * 21


def temperatures():
    return 270.0 + 10 * np.sin(np.arange(POINTS) / 7)


def good():
    return mint(LATLON, temperatures(), **AT_850)


def spoilt(section, offset, layout, *values):
    """The 2 m message with numbers of one of its sections overwritten; offset: octet from 1."""
    message = bytearray(mint(LATLON, temperatures()))
    at = 16
    while message[at + 4] != section:
        at += struct.unpack_from(">I", message, at)[0]
    struct.pack_into(layout, message, at + offset - 1, *values)
    return bytes(message)


def with_length(change):
    message = bytearray(mint(LATLON, temperatures()))
    struct.pack_into(">Q", message, 8, len(message) + change)
    return bytes(message)


def outlier(value, **packing):
    values = temperatures()
    values[300] = value
    return mint(LATLON, values, **packing)


def both(path, directory, *, fields=(GOOD, BAD), recipe="identity"):
    """A job with one product for each field of one file, for the same region."""
    region = region_of(**HERE)
    jobs = [job_of(path, region, directory, sampling="linear", field=field) for field in fields]
    tasks = []
    for n, job in enumerate(jobs):
        (task,) = job.tasks
        tasks.append(replace(task, product=task.product.model_copy(update={"key": f"p{n}"})))
    return replace(jobs[0], tasks=tuple(tasks))


def outcome_of(worker, data, directory, **how):
    path = directory / "hour.grib2"
    path.write_bytes(data)
    outcome = worker.render(both(path, directory, **how))
    assert isinstance(outcome, HourRendered)
    return outcome


def spoilt_float(value, *, everywhere=False):
    """A number that eccodes would not pack, written into the values of an IEEE message."""
    message = bytearray(mint(LATLON, temperatures(), packingType="grid_ieee", precision=1))
    end = len(message) - 4
    count = POINTS if everywhere else 1
    struct.pack_into(f">{count}f", message, end - 4 * count, *[value] * count)
    return bytes(message)


def huge():
    """A constant field, a few hundred bytes long, that claims 3.6 thousand million points."""
    message = bytearray(mint(LATLON, np.full(POINTS, 280.0)))
    at = 16
    while message[at : at + 4] != b"7777":
        size, number = struct.unpack_from(">IB", message, at)
        if number == 3:
            struct.pack_into(">I", message, at + 6, 60_000**2)
            struct.pack_into(">II", message, at + 30, 60_000, 60_000)
        if number == 5:
            struct.pack_into(">I", message, at + 5, 60_000**2)
        at += size
    return bytes(message)


MESSAGES = {
    "cut": (lambda: mint(LATLON, temperatures())[:-60], Reason.BAD_DATA, "damaged"),
    "another run": (
        lambda: mint(LATLON, temperatures(), dataTime=600),
        Reason.BAD_DATA,
        "of the run 2026012906, not of 2026012912",
    ),
    "another hour": (
        lambda: mint(LATLON, temperatures(), forecastTime=12),
        Reason.FIELD_MISSING,
        "does not hold TMP:2 m above ground:6 hour fcst",
    ),
    "all missing": (
        lambda: mint(LATLON, temperatures(), missing=np.arange(POINTS)),
        Reason.BAD_DATA,
        "missing",
    ),
    "missing all over the region": (
        lambda: mint(LATLON, temperatures(), missing=np.arange(31, POINTS)),
        Reason.BAD_DATA,
        "no value",
    ),
    "absurd": (lambda: outlier(1e10), Reason.BAD_DATA, "outside the possible"),
    "absurd, negative": (lambda: outlier(-5.0), Reason.BAD_DATA, "outside the possible"),
    "infinite": (
        lambda: spoilt_float(float("inf")),
        Reason.BAD_DATA,
        "",
    ),
    "not a number everywhere": (
        lambda: spoilt_float(float("nan"), everywhere=True),
        Reason.BAD_DATA,
        "missing",
    ),
    "constant": (lambda: mint(LATLON, np.full(POINTS, 280.0)), Reason.BAD_DATA, "280"),
    "more points than values": (
        lambda: spoilt(5, 6, ">I", POINTS - 40),
        Reason.BAD_DATA,
        "do not fill",
    ),
    "other number of points": (
        lambda: spoilt(3, 7, ">I", POINTS + 1),
        Reason.BAD_DATA,
        "652 points on a grid of 31 x 21",
    ),
    "wider than it is": (lambda: spoilt(3, 31, ">I", 32), Reason.BAD_DATA, "32 x 21"),
    "huge": (
        huge,
        Reason.BAD_DATA,
        "60000 x 60000 points is larger than any model's",
    ),
    "a kind of grid that we do not read": (
        lambda: mint({**LATLON, "gridType": "rotated_ll"}, temperatures()),
        Reason.BAD_DATA,
        "'rotated_ll' are not supported",
    ),
    "a cone that is none": (
        lambda: mint({**LAMBERT, "Latin1InDegrees": 30.0, "Latin2InDegrees": -30.0}),
        Reason.BAD_DATA,
        "no projection",
    ),
    "length too long": (lambda: with_length(100), Reason.BAD_DATA, "damaged"),
    "length too short": (lambda: with_length(-20), Reason.BAD_DATA, "damaged"),
    "GRIB of edition 1": (lambda: b"GRIB\x00\x00\x64\x01" + bytes(96), Reason.BAD_DATA, "damaged"),
    "a page": (lambda: b"<!DOCTYPE html><html>busy</html>", Reason.BAD_DATA, "damaged"),
    "nothing": (lambda: b"", Reason.FIELD_MISSING, "does not hold"),
    "packed in a way that is not known": (
        lambda: spoilt(5, 10, ">H", 3999),
        Reason.BAD_DATA,
        "decoded",
    ),
}


@pytest.mark.parametrize(("make", "reason", "told"), MESSAGES.values(), ids=MESSAGES)
def test_a_bad_message_costs_its_product_and_says_why(make, reason, told, worker, tmp_path):
    outcome = outcome_of(worker, good() + make(), tmp_path)

    (failure,) = outcome.failures
    assert (failure.product, failure.reason) == ("p1", reason)
    assert told in failure.detail
    assert failure.detail[-1] != "\n"
    assert "Traceback" not in failure.detail
    (frame,) = outcome.frames
    assert frame.product == "p0"


@pytest.mark.parametrize(
    "data", [b"", b"<html>Too many requests</html>" * 50, b"GRIB", bytes(5000)]
)
def test_a_file_that_is_no_grib_costs_the_hour_its_products_not_the_worker(data, worker, tmp_path):
    outcome = outcome_of(worker, data, tmp_path)

    assert outcome.frames == ()
    assert len(outcome.failures) == 2
    assert all("hour.grib2" in failure.detail for failure in outcome.failures)


def test_a_claim_of_billions_of_points_takes_no_room(worker, tmp_path):
    before = outcome_of(worker, good() + mint(LATLON, temperatures()), tmp_path).peak_rss_mb

    after = outcome_of(worker, good() + huge(), tmp_path).peak_rss_mb

    assert after - before < 50


def test_a_field_of_nothing_but_zeros_is_drawn_where_zero_is_a_value(worker, tmp_path):
    """HRRR's rate at hour 0: packed in no bits at all."""
    zeros = mint(LATLON, np.zeros(POINTS), **RATE)

    outcome = outcome_of(worker, zeros, tmp_path, fields=("PRATE:surface",))

    assert [frame.product for frame in outcome.frames] == ["p0"], outcome.failures


def test_a_message_that_is_there_twice_counts_if_both_say_the_same(worker, tmp_path):
    """As GFS at hour 6: its bucket and its total are one window, and both are written."""
    one = mint(LATLON, temperatures())
    other = mint(LATLON, temperatures(), packingType="grid_complex")

    outcome = outcome_of(worker, one + one + other, tmp_path, fields=(BAD,))

    assert len(outcome.frames) == 1, outcome.failures


def test_a_message_that_is_there_twice_with_other_values_is_refused(worker, tmp_path):
    other = mint(LATLON, temperatures()[::-1])

    outcome = outcome_of(worker, good() + mint(LATLON, temperatures()) + other, tmp_path)

    (failure,) = outcome.failures
    assert failure.reason is Reason.BAD_DATA
    assert "2 times, with other values" in failure.detail
    assert len(outcome.frames) == 1


@pytest.mark.parametrize("gaps", [[], [0], [POINTS - 1], list(range(0, POINTS, 2))])
def test_gaps_of_any_number_are_no_fault(gaps, worker, tmp_path):
    message = mint(LATLON, temperatures(), missing=np.array(gaps, int))

    outcome = outcome_of(worker, message, tmp_path, fields=(BAD,))

    assert len(outcome.frames) == 1, outcome.failures


def test_inputs_on_two_grids_are_refused(worker, tmp_path):
    """A window between two totals, the earlier of which lies half a degree to the east."""
    moved = {
        **LATLON,
        "longitudeOfFirstGridPointInDegrees": 230.5,
        "longitudeOfLastGridPointInDegrees": 260.5,
    }
    path = tmp_path / "hour.grib2"
    path.write_bytes(good() + mint(LATLON, temperatures()))
    elsewhere = tmp_path / "other.grib2"
    elsewhere.write_bytes(mint(moved, temperatures(), **AT_850))
    job = both(path, tmp_path)
    task = job.tasks[1]
    ((_, key),) = FieldSpec.parse(GOOD).messages(HOUR, 6)
    fields = {"value": FieldSpec.parse(BAD), "earlier": FieldSpec.parse(GOOD)}
    product = task.product.model_copy(update={"recipe": "window", "fields": fields})
    inputs = task.inputs | {"earlier": (MessageSource(str(elsewhere), key),)}

    outcome = worker.render(
        replace(job, tasks=(job.tasks[0], replace(task, product=product, inputs=inputs)))
    )

    (failure,) = outcome.failures
    assert failure.reason is Reason.BAD_DATA
    assert "on another" in failure.detail
    assert len(outcome.frames) == 1


def flipped(message, seed):
    """The message with up to eight random bytes changed, half of the time in its first sections."""
    rng = random.Random(seed)
    data = bytearray(message)
    end = len(data) if rng.random() < 0.5 else 200
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(end)] ^= rng.randint(1, 255)
    return bytes(data)


@pytest.mark.parametrize(
    "packing",
    [
        "grid_simple",
        "grid_complex",
        "grid_complex_spatial_differencing",
        "grid_ccsds",
        "grid_jpeg",
        "grid_png",
    ],
)
def test_flipped_bytes_give_a_frame_or_a_reason_and_never_cost_the_worker(
    packing, worker, tmp_path
):
    message = mint(LATLON, temperatures(), packingType=packing)
    assert len(outcome_of(worker, good() + message, tmp_path).frames) == 2
    pid = worker.pid
    peak = 0.0
    reasons = set()
    for seed in range(50):
        outcome = outcome_of(worker, good() + flipped(message, seed), tmp_path)
        assert len(outcome.frames) + len(outcome.failures) == 2
        assert outcome.frames[0].product == "p0"
        assert all(failure.detail for failure in outcome.failures)
        reasons |= {failure.reason for failure in outcome.failures}
        peak = max(peak, outcome.peak_rss_mb)

    assert worker.pid == pid
    assert peak < 600
    assert reasons <= {Reason.BAD_DATA, Reason.FIELD_MISSING}


def test_flipped_bytes_of_a_real_message_do_neither(worker, test_data, tmp_path):
    path = next(test_data.glob("nomads/**/hrrr.t17z.wrfsfcf01.grib2"))
    with path.open("rb") as file:
        head = next(h for h in walk(file) if h.key and str(h.key).startswith(BAD))
        file.seek(head.offset)
        message = file.read(head.length)
    moved = mint(LATLON, temperatures(), dataTime=1700, forecastTime=1, **AT_850)
    pid = worker.pid
    for seed in range(12):
        spoilt_file = tmp_path / "hour.grib2"
        spoilt_file.write_bytes(moved + flipped(message, seed))
        job = replace(both(spoilt_file, tmp_path), cycle="2026012917", hour=1)
        sources = [
            replace(task, inputs={"value": (replace_key(task.inputs["value"][0]),)})
            for task in job.tasks
        ]
        outcome = worker.render(replace(job, tasks=tuple(sources)))
        assert len(outcome.frames) + len(outcome.failures) == 2
        assert {f.reason for f in outcome.failures} <= {Reason.BAD_DATA, Reason.FIELD_MISSING}

    assert worker.pid == pid


def replace_key(source):
    return replace(source, key=replace(source.key, start_h=1, end_h=1))
