"""Value grid files: what goes in comes out, to half a step; what is damaged says so."""

import json
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from render_farm.domain.valuegrid import MAGIC, ValueGridError, unpack
from render_farm.values import residuals
from render_farm.values.grid import decode, encode
from render_farm.values.steps import STEPS
from tests.values.gridsmith import GRIDS, value_grid, waves

DOCUMENT = Path(__file__).parents[2] / "docs" / "value-grids.md"
ANY = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
)
SANE = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
    elements=st.one_of(st.floats(200, 330, width=32), st.just(np.float32(np.nan))),
)


@pytest.fixture(scope="module")
def document():
    return DOCUMENT.read_text(encoding="utf-8")


def check(values, step=0.05):
    """Decode what was encoded; compare in float64 with half of the step that the file states."""
    found = decode(encode(value_grid(values, step=step)))
    present = np.isfinite(values)
    assert np.array_equal(np.isfinite(found.values), present)
    assert np.isnan(found.values[~present]).all()
    exact, got = values[present].astype(np.float64), found.values[present].astype(np.float64)
    rounding = np.abs(exact) * 2.0**-23 + 1e-44  # of the float32 answer
    assert (np.abs(got - exact) <= found.step / 2 * (1 + 1e-6) + rounding).all()
    return found


@given(ANY)
def test_any_field_comes_back_to_half_a_step(values):
    found = check(values)
    present = values[np.isfinite(values)].astype(np.float64)
    span = np.ptp(present) if present.size else 0.0
    # Never coarser than asked for, unless 16 bits do not hold the range or it is exact.
    there = np.isfinite(values)
    error = np.abs(found.values[there].astype(np.float64) - present).max(initial=0)
    exact = error <= 2.0**-21 * np.abs(present).max(initial=0)  # but for the rounding of float32
    assert found.step <= max(0.05, span / 65534 * (1 + 1e-9)) or exact


@given(SANE)
def test_weather_is_kept_with_the_step_that_was_asked_for(values):
    found = check(values)
    exact = np.nanmax(np.abs(found.values - values), initial=0) < 1e-4
    assert found.step == 0.05 or exact


@pytest.mark.parametrize(
    "values",
    [
        np.full((4, 5), np.nan),
        np.full((4, 5), 273.16),
        np.zeros((1, 1)),
        np.array([[1.0, np.nan, -3.25, 1e30]]),
        np.array([[1.0], [2.0], [np.nan], [65536.0]]),
        np.array([[np.finfo(np.float32).max, -np.finfo(np.float32).max], [0, 1]]),
        np.array([[np.finfo(np.float32).tiny, 0.0]]),
        np.array([[np.inf, -np.inf, 5.0]]),
    ],
    ids=["missing", "constant", "one", "row", "column", "widest", "tiny", "infinite"],
)
def test_odd_fields(values):
    check(values.astype(np.float32))


def test_all_sixteen_bits_are_used_where_the_range_needs_them():
    values = np.linspace(0, 65534 * 7, 65535, dtype=np.float32).reshape(255, 257)
    found = check(values, step=0.05)
    assert found.step == pytest.approx(7, rel=1e-6)


@pytest.mark.parametrize("step", [0.1, 0.0625, 0.05, 1 / 3])
def test_values_that_lie_on_a_lattice_as_coarse_as_the_step_are_kept_exactly(step):
    """GRIB packs as (R + k 2^E) / 10^D; 1/3 is no such step."""
    rng = np.random.default_rng(1)
    packed = (2731.57 / 10 + step * rng.integers(0, 400, (30, 40))).astype(np.float32)
    found = check(packed)
    error = np.abs(found.values - packed).max()
    if step == 1 / 3:
        assert found.step == 0.05
        assert error > 0.01
    else:
        assert found.step == pytest.approx(step)
        assert error <= 2 * np.spacing(np.float32(300))


def test_equal_values_have_equal_codes_in_every_hour():
    one = encode(value_grid([[280.013, 290.031, 284.522]]))
    other = encode(value_grid([[270.017, 290.031, 284.522]]))
    assert (decode(one).values[0, 1:] == decode(other).values[0, 1:]).all()


@given(hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_residuals_are_reversible(codes):
    assert np.array_equal(residuals.from_bytes(residuals.to_bytes(codes), codes.shape), codes)


def test_the_predictor_by_hand():
    """Medians of left, upper and left + upper - corner: 10 12 / 11 x: 12 and 11 and 13, so 12."""
    codes = np.array([[10, 12], [11, 14]], np.uint16)
    # 10; 12-10=2; 11-10=1; 14-12=2, folded: 20, 4, 2, 4
    assert residuals.to_bytes(codes) == bytes([20, 4, 2, 4, 0, 0, 0, 0])
    falling = np.array([[10, 9]], np.uint16)
    assert residuals.to_bytes(falling) == bytes([20, 1, 0, 0])


@pytest.mark.parametrize("name", GRIDS)
def test_a_grid_comes_back_as_it_was(name):
    grid = GRIDS[name]
    category = (np.arange(grid.nx * grid.ny).reshape(grid.shape) % 3).astype(np.uint8)
    before = value_grid(waves(grid), grid, category=category, labels=("", "rain", "snow"))
    after = decode(encode(before))

    assert after.grid == grid
    assert after.about == before.about
    assert np.array_equal(after.category, category)
    assert after.labels == ("", "rain", "snow")


def test_equal_grids_have_equal_bytes():
    grid = GRIDS["latlon"]
    assert encode(value_grid(waves(grid), grid)) == encode(value_grid(waves(grid), grid))


def test_arrays_of_another_shape_than_the_grid_are_refused():
    grid = GRIDS["latlon"]
    with pytest.raises(ValueError, match=r"values are \(2, 2\)"):
        encode(value_grid(np.zeros((2, 2)), grid))
    with pytest.raises(ValueError, match="categories"):
        encode(value_grid(waves(grid), grid, category=np.zeros((1, 1), np.uint8)))


SMALL = encode(value_grid(np.linspace(250, 300, 30).reshape(5, 6)))


@given(st.integers(0, len(SMALL) - 1))
def test_a_file_that_is_cut_short_says_so_in_one_sentence(length):
    with pytest.raises(ValueGridError) as caught:
        decode(SMALL[:length])
    assert "\n" not in str(caught.value)


@given(st.integers(0, 8 * len(SMALL) - 1))
def test_a_flipped_bit_is_an_error_or_changes_nothing(bit):
    damaged = bytearray(SMALL)
    damaged[bit // 8] ^= 1 << bit % 8
    whole = decode(SMALL)
    try:
        found = decode(bytes(damaged))
    except ValueGridError:
        return
    assert np.array_equal(found.values, whole.values)
    assert (found.grid, found.about) == (whole.grid, whole.about)


@given(st.binary(max_size=200))
def test_anything_else_is_no_value_grid(data):
    for content in (data, MAGIC + data, SMALL[:12] + data, SMALL + data + b"\0"):
        with pytest.raises(ValueGridError):
            decode(content)


def rewritten(change):
    """SMALL with another header."""
    (length,) = struct.unpack_from("<I", SMALL, 8)
    body = zlib.decompress(SMALL[12:])
    header = json.loads(body[:length])
    planes = change(header) or b""
    text = json.dumps(header).encode()
    return SMALL[:8] + struct.pack("<I", len(text)) + zlib.compress(text + body[length:] + planes)


def test_what_a_later_version_adds_is_passed_over():
    def later(header):
        header["ensemble"] = {"member": 3}
        header["grid"]["vertical"] = "hybrid"
        header["planes"][0]["spread"] = True
        header["planes"].append({"name": "u", "bytes": 4, "predictor": "wavelets"})
        return bytes(4 * 30)

    assert np.array_equal(decode(rewritten(later)).values, decode(SMALL).values)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda h: h["planes"][0].update(predictor="wavelets"), "wavelets"),
        (lambda h: h["planes"][0].update(name="other"), "no plane 'values'"),
        (lambda h: h["planes"].append(dict(h["planes"][0])), "one name"),
        (lambda h: h["grid"].update(kind="reduced_gaussian"), "reduced_gaussian"),
        (lambda h: h["grid"].update(nx=7), "cut short"),
        (lambda h: h["grid"].update(nx=10**6, ny=10**6), "too many"),
        (lambda h: h["grid"].update(dy=0.25), "east and south"),
        (lambda h: h["grid"].pop("crs"), "grid.crs"),
        (lambda h: h.pop("unit"), "unit"),
        (lambda h: h["planes"][0].update(scale=float("nan")), "planes.0.scale"),
    ],
)
def test_a_header_that_is_not_understood_is_refused_by_name(change, says):
    def alone(header):
        change(header)

    with pytest.raises(ValueGridError, match=says):
        decode(rewritten(alone))


def test_a_later_version_of_the_file_is_refused_by_number():
    with pytest.raises(ValueGridError, match="version 2.0"):
        decode(SMALL[:4] + b"\2\0" + SMALL[6:])


def test_the_header_can_be_read_without_arrays():
    header = unpack(SMALL).header
    assert (header.model, header.product, header.unit) == ("gfs", "t2m", "K")
    assert (header.grid.nx, header.grid.ny) == (6, 5)


def read_by_the_book(data):
    """A reader written from docs/value-grids.md alone: (header, values), slow and plain."""
    assert data[:8] == bytes([0x89, 0x56, 0x47, 0x52, 1, 0, 0, 0])
    length = int.from_bytes(data[8:12], "little")
    body = zlib.decompress(data[12:])
    header = json.loads(body[:length])
    plane, nx, ny = header["planes"][0], header["grid"]["nx"], header["grid"]["ny"]
    low = body[length : length + nx * ny]
    high = body[length + nx * ny : length + 2 * nx * ny]
    codes, values = [], []
    for k in range(nx * ny):
        if k == 0:
            foretold = 0
        elif k < nx:
            foretold = codes[k - 1]
        elif k % nx == 0:
            foretold = codes[k - nx]
        else:
            a, b, c = codes[k - 1], codes[k - nx], codes[k - nx - 1]
            foretold = sorted((a, b, a + b - c))[1]
        f = low[k] | high[k] << 8
        codes.append((foretold + ((f >> 1) ^ -(f & 1))) & 0xFFFF)
        missing = codes[k] == plane["missing"]
        values.append(float("nan") if missing else plane["offset"] + plane["scale"] * codes[k])
    return header, np.array(values).reshape(ny, nx)


@pytest.mark.parametrize("name", ["latlon", "lambert_sphere"])
def test_a_reader_by_the_book_reads_the_same(name):
    grid = GRIDS[name]
    data = encode(value_grid(waves(grid), grid))

    header, values = read_by_the_book(data)

    assert np.array_equal(values.astype(np.float32), decode(data).values, equal_nan=True)
    assert header["grid"]["kind"] == grid.kind
    assert (header["unit"], header["cycle"], header["hour"]) == ("K", "2026012912", 6)


def test_the_example_of_the_documentation(document):
    values = [[280.0, 280.1, 280.03], [279.9, 280.2, np.nan]]
    data = encode(value_grid(values))
    (length,) = struct.unpack_from("<I", data, 8)
    plane = zlib.decompress(data[12:])[length:]

    assert f"so the plane is `{plane.hex(' ')}`" in document
    assert read_by_the_book(data)[0]["planes"][0]["offset"] == pytest.approx(279.85)


def test_the_steps_of_the_documentation_are_those_in_use(document):
    for unit, step in STEPS.items():
        if unit == "m s-1":  # another spelling of m/s
            continue
        row = re.search(rf"\n\| {re.escape(unit)}(?: \(mm\))? \| ([\d.]+) \|", document)
        assert float(row[1]) == step, unit
