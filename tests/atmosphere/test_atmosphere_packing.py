"""Our complex packing is read by eccodes as what went in."""

import struct
from datetime import UTC, datetime

import eccodes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twf_async.replica  # noqa: F401 - pyproj before eccodes
from twf_async.replica.atmosphere.product import section_1
from twf_async.replica.atmosphere.spatial import pack_constant, pack_mask, pack_spatial
from twf_async.replica.packing import Scale
from twf_async.replica.sections import Sections, section

SECTION_4 = section(4, bytes.fromhex("0000000000000200600000000100000006670000000002ff0000000000"))


def grid(nx, ny):
    body = struct.pack(">BIBBHB", 0, nx * ny, 0, 0, 0, 6) + bytes(15)
    body += struct.pack(">IIIIII", nx, ny, 0, 0xFFFFFFFF, 10_000_000, 0)
    body += (
        bytes((0x30,))
        + struct.pack(
            ">IIII",
            10_000_000 - 1000 * (ny - 1) if ny > 1 else 10_000_000,
            1000 * (nx - 1),
            1000,
            1000,
        )
        + b"\x00"
    )
    return section(3, body)


def decoded(values, parts):
    ny, nx = values.shape
    bodies = {1: section_1(datetime(2026, 1, 29, 12, tzinfo=UTC)), 3: grid(nx, ny), 4: SECTION_4}
    message = Sections(0, bodies).replaced(parts)
    handle = eccodes.codes_new_from_message(message)
    try:
        return eccodes.codes_get_values(handle).reshape(ny, nx)
    finally:
        eccodes.codes_release(handle)


def size(parts):
    return sum(map(len, parts.values()))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(3, 70), st.integers(2, 40), st.integers(0, 10_000),
    st.sampled_from([Scale(2, 0), Scale(0, -4), Scale(-1, 2), Scale(5, 0)]),
    st.sampled_from([1e-3, 1.0, 300.0]),
)  # fmt: skip
def test_values_come_back_within_half_a_step(nx, ny, seed, scale, spread):
    rng = np.random.default_rng(seed)
    values = (rng.standard_normal((ny, nx)).cumsum(axis=1) * spread + 280).astype(np.float32)
    parts = pack_spatial(values, scale, 200 + 6 * values.size)
    assert size(parts) == 200 + 6 * values.size
    slack = np.spacing(np.float32(np.abs(values).max() * 10.0**scale.decimal + 1))
    assert (
        np.abs(decoded(values, parts) - values).max()
        <= 0.5 * scale.step + slack / 10.0**scale.decimal
    )


def test_a_small_room_coarsens_the_step_and_nothing_else():
    rng = np.random.default_rng(1)
    values = (rng.standard_normal((50, 64)) * 10).astype(np.float32)
    room = 1800
    parts = pack_spatial(values, Scale(3, 0), room)
    assert size(parts) == room
    binary = int.from_bytes(parts[5][15:17], "big")
    assert binary > 0
    error = np.abs(decoded(values, parts) - values).max()
    assert error <= 0.5 * 2.0**binary / 1000 + 1e-4


@pytest.mark.parametrize("shape", [(1, 3), (1, 33), (3, 64), (7, 5)])
def test_fields_of_one_value_and_short_last_groups(shape):
    values = np.full(shape, 273.15, dtype=np.float32)
    assert np.abs(decoded(values, pack_spatial(values, Scale(2, 0), 400)) - values).max() < 0.006


def test_masks_and_constants():
    mask = (np.arange(63).reshape(7, 9) % 3 == 0).astype(np.float32)
    assert np.array_equal(decoded(mask, pack_mask(mask)), mask)
    zeros = np.zeros((4, 5), dtype=np.float32)
    assert np.array_equal(decoded(zeros, pack_constant(20, 0.0)), zeros)
