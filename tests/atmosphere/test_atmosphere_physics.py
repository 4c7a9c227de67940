"""The weather is one weather: its parts follow from each other as in the real one."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from twf_async.replica.atmosphere import moist
from twf_async.replica.atmosphere.atmosphere import Atmosphere
from twf_async.replica.atmosphere.column import GAS, GRAVITY
from twf_async.replica.atmosphere.snapshot import Snapshot

HOURS = (0, 18, 60)


@pytest.fixture(scope="module", params=HOURS)
def snapshot(request, models, cycle, mid_latitudes):
    gfs = models["gfs"]
    return Snapshot(mid_latitudes, gfs.when(cycle, request.param), gfs.flavour)


def test_thickness_is_the_mean_temperature_of_the_layer(snapshot):
    weather = snapshot.weather
    thickness = weather.height(500) - weather.height(1000)
    levels = np.array([1000, 925, 850, 700, 600, 500], dtype=float)
    temperatures = np.stack([weather.temperature(int(level)) for level in levels])
    mean = -np.trapezoid(temperatures, np.log(levels), axis=0) / np.log(2.0)
    expected = GAS / GRAVITY * mean * np.log(2.0)
    assert np.abs(thickness - expected).max() < 1.0  # m, of 5000-5800
    assert 4700 < thickness.min() < thickness.max() < 5950


def test_the_1000_hpa_level_lies_where_the_sea_level_pressure_puts_it(snapshot):
    height = snapshot.weather.height(1000)
    temperature = snapshot.weather.temperature(1000)
    pressure = 1000.0 * np.exp(height * GRAVITY / (GAS * temperature))
    assert np.abs(pressure - snapshot.pressure).max() < 0.2  # hPa: both are smoothed
    assert 945 < snapshot.pressure.min() < snapshot.pressure.max() < 1055


def test_winds_blow_along_the_heights_as_geostrophic_winds_do(snapshot):
    window = snapshot.window
    inner = np.s_[4:-4, 4:-4]
    latitude = np.radians(window.at.latitude.astype(float))
    height = snapshot.weather.height(500).astype(float)
    dy = np.radians(0.25) * 6_371_229.0
    dz_dy = -np.gradient(height, dy, axis=0)  # rows run south
    dz_dx = np.gradient(height, axis=1) / (dy * np.cos(latitude))
    f = 2 * 7.292e-5 * np.sin(latitude)
    expected = np.stack([-GRAVITY / f * dz_dy, GRAVITY / f * dz_dx])[:, *inner]
    found = np.stack(snapshot.weather.wind(500))[:, *inner]
    assert np.corrcoef(expected.ravel(), found.ravel())[0, 1] > 0.98
    ratio = np.hypot(*found) / np.maximum(np.hypot(*expected), 5.0)
    assert 0.85 < np.median(ratio) < 1.05
    assert np.hypot(*found).max() < 110


def test_vorticity_is_that_of_the_winds(snapshot):
    window = snapshot.window
    inner = np.s_[6:-6, 6:-6]
    u, v = (part.astype(float) for part in snapshot.weather.wind(500))
    latitude = np.radians(window.at.latitude.astype(float))
    dy = np.radians(0.25) * 6_371_229.0
    relative = np.gradient(v, axis=1) / (dy * np.cos(latitude)) + np.gradient(u, dy, axis=0)
    relative += u * np.tan(latitude) / 6_371_229.0
    expected = relative + 2 * 7.292e-5 * np.sin(latitude)
    found = snapshot.vorticity(500)
    assert np.corrcoef(expected[inner].ravel(), found[inner].ravel())[0, 1] > 0.97
    assert np.abs(expected - found)[inner].mean() < 1e-5


def test_values_are_such_as_are_measured(snapshot):
    assert 225 < snapshot.ground.min() < snapshot.ground.max() < 312
    assert 1.5 < snapshot.rate.max() <= 17.5
    assert 0.03 < (snapshot.rate > 0).mean() < 0.5
    assert 12 < np.hypot(*snapshot.wind).max() < 45
    assert 0 < snapshot.vapour.min() < snapshot.vapour.max() < 75
    assert 30 < snapshot.echo.max() < 65
    assert snapshot.cover.min() >= 0
    assert snapshot.cover.max() <= 1
    assert (snapshot.gust >= np.hypot(*snapshot.wind) - 1e-3).all()
    assert (snapshot.freezing_level >= 0).all()


def test_air_is_never_moister_than_saturated(snapshot):
    assert (snapshot.dewpoint <= snapshot.ground + 1e-3).all()
    vapour = moist.saturation(snapshot.dewpoint) / moist.saturation(snapshot.ground)
    assert np.abs(vapour - snapshot.humidity).max() < 0.02
    for level in (850, 700, 500):
        humidity = snapshot.air_humidity(level)
        assert 0 < humidity.min() < humidity.max() <= 1


def test_types_follow_the_temperature_and_exclude_each_other(snapshot):
    rain, snow, sleet, freezing = snapshot.kinds
    assert (rain.astype(int) + snow + sleet + freezing == 1).all()
    celsius = snapshot.ground - 273.15
    assert snow.any()
    assert celsius[snow].max() < 1.5
    assert (celsius[freezing] <= 0.0).all()
    assert not (rain & (celsius < -0.1)).any()
    low = (snapshot.window.elevation < 300) & freezing
    if low.any():
        nose = np.maximum(snapshot.weather.temperature(850), snapshot.weather.temperature(925))
        assert nose[low].min() > 273.15


def test_echoes_are_where_it_rains(snapshot):
    wet = snapshot.rate > 0.5
    assert snapshot.echo[wet].min() > 10
    far = snapshot.echo < -19
    assert snapshot.rate[far].max() < 0.1
    assert snapshot.echo.min() == -20


def test_afternoons_are_warmer_than_mornings_over_land(models, cycle, northwest):
    gfs = models["gfs"]
    land = northwest.land > 0.9

    def mean(hours):
        looks = [Snapshot(northwest, gfs.when(cycle, h), gfs.flavour).ground for h in hours]
        return np.mean([ground[land].mean() for ground in looks])

    afternoons = mean(range(10, 130, 24))  # 14 local time
    assert afternoons > mean(range(2, 122, 24)) + 1.0
    assert afternoons > mean(range(26, 146, 24)) + 1.0


def test_mountains_stand_where_they_are(northwest):
    at = northwest.at

    def height(latitude, longitude):
        row = np.argmin(np.abs(at.latitude[:, 0] - latitude))
        column = np.argmin(np.abs(at.longitude[0] - longitude % 360))
        return northwest.elevation[row, column], northwest.land[row, column]

    assert height(46.75, -121.5)[0] > 1100  # Cascades
    assert height(47.75, -123.5)[0] > 700  # Olympics
    assert height(45.25, -122.75)[0] < 250  # Willamette Valley
    assert height(46.25, -119.5)[0] < 500  # Columbia Basin
    assert height(44.75, -110.5)[0] > 1800  # Yellowstone
    assert height(45.5, -125.5) == (0.0, 0.0)  # the ocean


def test_consecutive_runs_agree_nearly_and_models_too(models, cycle, northwest):
    gfs, aigfs = models["gfs"], models["aigfs"]
    earlier = Snapshot(northwest, gfs.when(cycle - timedelta(hours=6), 30), gfs.flavour)
    later = Snapshot(northwest, gfs.when(cycle, 24), gfs.flavour)
    other = Snapshot(northwest, aigfs.when(cycle, 24), aigfs.flavour)
    for forecast in (earlier, other):
        difference = forecast.pressure - later.pressure
        assert 0.0 < np.abs(difference).mean() < 2.5  # hPa
        assert np.corrcoef(forecast.ground.ravel(), later.ground.ravel())[0, 1] > 0.97


def test_a_low_crosses_the_coast_within_the_forecast(models, cycle, northwest):
    gfs = models["gfs"]
    lowest = [
        Snapshot(northwest, gfs.when(cycle, hour), gfs.flavour).pressure.min()
        for hour in range(0, 121, 6)
    ]
    assert min(lowest) < 1000
    assert max(lowest) - min(lowest) > 8


def test_the_same_question_has_the_same_answer(models, cycle, northwest):
    gfs = models["gfs"]
    first, second = (Snapshot(northwest, gfs.when(cycle, 7.5), gfs.flavour) for _ in range(2))
    assert np.array_equal(first.rate, second.rate)
    assert np.array_equal(first.ground, second.ground)


def test_totals_grow_and_are_the_sums_of_buckets(models, cycle):
    gfs = models["gfs"]
    sums = Atmosphere()._integral
    part = (160, 936, 37, 65)
    from twf_async.replica.atmosphere.window import window

    totals = sums(window(gfs.grid, *part), gfs, cycle, part)
    whole = totals.until(24)
    assert whole.water.max() > 2.0
    buckets = [totals.until(h).since(totals.until(h - 6)).water for h in (6, 12, 18, 24)]
    assert np.abs(sum(buckets) - whole.water).max() < 1e-3
    rising = [totals.until(h).water for h in range(0, 25, 3)]
    assert all((b >= a).all() for a, b in pairwise(rising))
    parts = whole.snow + whole.sleet + whole.freezing
    assert (parts <= whole.water + 1e-3).all()
    hours = whole.rain_h + whole.snow_h + whole.sleet_h + whole.freezing_h
    assert hours.max() <= 24.0 + 1e-3


def test_integrals_do_not_depend_on_the_order_of_asking(models, cycle):
    from twf_async.replica.atmosphere.window import window

    gfs = models["gfs"]
    part = (160, 936, 37, 65)
    place = window(gfs.grid, *part)
    one, other = (Atmosphere()._integral(place, gfs, cycle, part) for _ in range(2))
    one.until(6)
    one.until(9)
    assert np.allclose(one.until(12).water, other.until(12).water, atol=1e-4)
    assert np.allclose(one.until(3).water, other.until(3).water, atol=1e-4)


def test_the_integral_is_that_of_the_rate(models, cycle):
    from twf_async.replica.atmosphere.window import window

    gfs = models["gfs"]
    part = (160, 936, 37, 65)
    place = window(gfs.grid, *part)
    water = Atmosphere()._integral(place, gfs, cycle, part).until(3).water
    fine = sum(
        Snapshot(place, gfs.when(cycle, (k + 0.5) / 12), gfs.flavour).rate for k in range(36)
    )
    assert np.abs(water - fine / 12).mean() < 0.08 * (fine / 12).mean() + 0.02
