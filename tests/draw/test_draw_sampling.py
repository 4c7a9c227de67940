import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render_farm.domain.scales import Display
from render_farm.draw.colours import levels_si
from render_farm.draw.fill import NOTHING, classes_of, classify
from render_farm.draw.pixelmap import compute
from render_farm.draw.sampling import sample, sample_at, sample_classes
from render_farm.draw.viewport import Viewport

CELSIUS = Display(
    unit="°C",
    offset=-273.15,
    levels=["-40..46 step 1"],
    anchors=[(-40, "#202080"), (46, "#f0f060")],
    under="#0000ff",
)
GRID_KINDS = [
    ("pnw", "global"),
    ("pnw", "cropped"),
    ("pnw", "hrrr"),
    ("pnw", "polar"),
    ("pnw", "mercator"),
    ("date_line", "global"),
    ("greenwich", "global"),
]


@pytest.mark.parametrize("kernel", ["cubic", "linear"])
@pytest.mark.parametrize(("region", "grid"), GRID_KINDS)
def test_the_bin_of_a_pixel_is_the_bin_of_the_value_there(
    region, grid, kernel, regions, grids, weather, reference
):
    """The same kernel in float64 at the exact place: 99.5 % equal, the rest beside an edge."""
    viewport, grid = Viewport.of(regions[region]), grids[grid]
    values = weather(grid, 255.0, 300.0)
    pixels = compute(grid, viewport, refined=True)
    sampled = sample(values, pixels, kernel)
    painted = classify(sampled, classes_of([CELSIUS]))
    rng = np.random.default_rng(3)
    row = rng.integers(0, viewport.rect.height, 4000)
    column = rng.integers(0, viewport.rect.width, 4000)

    at = grid.index(*viewport.lonlat_of_pixels(column, row))
    inside = np.ones(at[0].shape, bool)
    if pixels.outside is not None:
        inside = pixels.outside[row, column] == 0
    truth = reference(values, *at, kernel, cyclic=grid.cyclic)
    want = np.searchsorted(levels_si(CELSIUS), truth, side="right")

    got = painted[row, column].astype(int) - 1  # every bin has a colour: class = bin + 1
    assert inside.any()
    assert (got == want)[inside].mean() >= 0.995
    assert np.abs(got - want)[inside].max() <= 1


@pytest.mark.parametrize("kernel", ["cubic", "linear", "nearest"])
@pytest.mark.parametrize(
    ("region", "grid"), [("pnw", "global"), ("pnw", "hrrr"), ("date_line", "global")]
)
def test_a_single_warm_cell_is_painted_where_it_lies(region, grid, kernel, regions, grids):
    viewport, grid = Viewport.of(regions[region]), grids[grid]
    middle = (viewport.rect.width // 3, viewport.rect.height // 2)
    at = grid.index(*viewport.lonlat_of_pixels([middle[0]], [middle[1]]))
    column, row = (int(np.rint(value[0])) for value in at)
    values = np.full(grid.shape, 270.0, np.float32)
    values[row, column % grid.nx] = 300.0
    sampled = sample(values, compute(grid, viewport, refined=True), kernel)

    warm = np.argwhere(sampled.values() > 285.0)

    there = _lonlat_of_cell(grid, column, row)
    want_c, want_r = viewport.pixels_of(*there)
    assert np.abs(warm.mean(axis=0) - [want_r, want_c]).max() < 1.0


def _lonlat_of_cell(grid, column, row):
    lon, lat = grid.lonlat()
    return float(lon[row, column % grid.nx]), float(lat[row, column % grid.nx])


def test_missing_cells_stay_bare_and_do_not_bleed(pnw, grids):
    grid, viewport = grids["cropped"], Viewport.of(pnw)
    values = np.full(grid.shape, 280.0, np.float32)
    values[:, 50:] = np.nan
    pixels = compute(grid, viewport, refined=True)

    sampled = sample(values, pixels, "cubic")

    longitude, _ = viewport.lonlat_of_pixels(
        np.arange(viewport.rect.width)[None, :], np.arange(viewport.rect.height)[:, None]
    )
    border = -130 + 49.5 * 0.25
    clear = np.abs(longitude - border) > 0.02
    assert (sampled.missing == (longitude > border))[clear].all()
    known = sampled.values()[~sampled.missing]
    assert np.abs(known - 280.0).max() < 0.01


def test_a_window_without_any_value_has_no_sample(pnw, grids):
    values = np.full(grids["cropped"].shape, np.nan, np.float32)

    assert sample(values, compute(grids["cropped"], Viewport.of(pnw)), "linear") is None


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kernel=st.sampled_from(["cubic", "linear", "nearest"]),
    refined=st.booleans(),
)
def test_an_amount_is_never_made_negative(seed, kernel, refined, pnw_map):
    grid, maps = pnw_map
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(grid.shape) > 0.9, rng.gamma(1, 20, grid.shape), 0.0)

    sampled = sample(values.astype(np.float32), maps[refined], kernel)

    assert sampled.values().min() >= 0.0


@pytest.fixture(scope="module")
def pnw_map(regions, grids):
    viewport = Viewport.of(regions["pnw"], 300, 300)
    grid = grids["hrrr"]
    return grid, {flag: compute(grid, viewport, refined=flag) for flag in (False, True)}


def test_a_constant_field_is_painted_in_its_one_bin(pnw, grids):
    grid = grids["cropped"]
    values = np.full(grid.shape, 273.15 + 4.5, np.float32)
    sampled = sample(values, compute(grid, Viewport.of(pnw), refined=True), "cubic")

    painted = classify(sampled, classes_of([CELSIUS]))

    assert np.unique(painted).tolist() == [45 + 1]  # 4..5 degC is bin 45


def test_no_rain_at_all_is_below_the_faintest_level(pnw, grids):
    """HRRR's rate at hour 0 is a constant zero, and its first level 3e-6 kg m-2 s-1."""
    grid = grids["cropped"]
    rate = Display(
        unit="mm/h", factor=3600, levels=[0.01, 0.1, 1], colours=["#00ff00", "#0000ff"], over=""
    )
    pixels = compute(grid, Viewport.of(pnw))

    sampled = sample(np.zeros(grid.shape, np.float32), pixels, "linear")

    assert (classify(sampled, classes_of([rate])) == NOTHING).all()


def test_a_value_on_an_edge_belongs_to_the_bin_above(pnw, grids):
    grid = grids["cropped"]
    kelvin = Display(unit="K", levels=[270, 280, 290], colours=["#111111", "#222222"])
    values = np.full(grid.shape, 280.0, np.float32)
    values[0, 0] = 250.0
    sampled = sample(values, compute(grid, Viewport.of(pnw)), "nearest")

    painted = classify(sampled, classes_of([kelvin]))

    assert np.unique(painted).tolist() == [2]


def test_classes_are_taken_from_the_nearest_cell(pnw, grids):
    grid, viewport = grids["cropped"], Viewport.of(pnw)
    pixels = compute(grid, viewport)
    category = (np.arange(grid.nx * grid.ny).reshape(grid.shape) % 5).astype(np.uint8)

    got = sample_classes(pixels.window(category), pixels)

    column = np.arange(0, viewport.rect.width, 11)[None, :]
    row = np.arange(0, viewport.rect.height, 11)[:, None]
    c, r = grid.index(*viewport.lonlat_of_pixels(column, row))
    sure = (np.abs(c % 1 - 0.5) > 0.01) & (np.abs(r % 1 - 0.5) > 0.01)
    want = category[np.rint(r).astype(int), np.rint(c).astype(int)]
    assert (got[::11, ::11] == want)[sure].all()


@pytest.mark.parametrize("kernel", ["linear", "nearest"])
def test_enlarging_a_window_first_changes_no_bilinear_and_no_nearest_value(pnw, grids, kernel):
    grid, viewport = grids["cropped"], Viewport.of(pnw)
    values = np.random.default_rng(5).normal(280.0, 10.0, grid.shape).astype(np.float32)
    plain, fine = (compute(grid, viewport, refined=flag) for flag in (False, True))
    assert (plain.refine, fine.refine % 2) == (1, 1)
    assert fine.refine > 1

    want, got = (sample(values, pixels, kernel) for pixels in (plain, fine))

    off = np.abs(got.values() - want.values())
    if kernel == "linear":
        assert off.max() <= 2.5 * want.step + 2e-3  # of 60 K: coordinates are float32
    else:  # a pixel in the middle between two cells may go to either
        assert (off == 0).mean() > 0.9999


def test_classes_of_an_enlarged_window_are_those_of_its_cells(pnw, grids):
    grid, viewport = grids["cropped"], Viewport.of(pnw)
    classes = np.random.default_rng(6).integers(0, 5, grid.shape).astype(np.uint8)
    plain, fine = (compute(grid, viewport, refined=flag) for flag in (False, True))

    want, got = (sample_classes(pixels.window(classes), pixels) for pixels in (plain, fine))

    assert (want == got).mean() > 0.9999


def test_station_values_are_bilinear_and_wrap_round_the_earth(grids):
    grid = grids["global"]
    values = np.broadcast_to(np.cos(np.radians(np.arange(1440) / 4)), grid.shape)
    longitude = np.array([-0.1, 0.1, 359.99, -117.38])

    got = sample_at(
        values.astype(np.float32), *grid.index(longitude, np.full(4, 45.0)), cyclic=True
    )

    np.testing.assert_allclose(got, np.cos(np.radians(longitude)), atol=1e-5)


def test_a_station_off_the_grid_has_no_value(grids):
    grid = grids["cropped"]
    values = np.ones(grid.shape, np.float32)

    got = sample_at(values, *grid.index(np.array([0.0]), np.array([51.0])), cyclic=False)

    assert np.isnan(got).all()
