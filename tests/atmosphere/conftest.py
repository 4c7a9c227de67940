"""One tree and one clock for the whole room: windows and hours are remembered between tests."""

from datetime import UTC, datetime

import pytest

import twf_async.replica  # noqa: F401 - pyproj before eccodes
from twf_async.clock import Clock
from twf_async.replica.atmosphere.models import MODELS
from twf_async.replica.atmosphere.synthetic_tree import SyntheticTree
from twf_async.replica.atmosphere.window import window
from twf_async.replica.tree import CropBox

NOW = datetime(2026, 1, 29, 20, tzinfo=UTC)
CYCLE = datetime(2026, 1, 29, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    clock = Clock(start=NOW, speed=0.0)
    return SyntheticTree(clock, tmp_path_factory.mktemp("atmosphere"))


@pytest.fixture(scope="session")
def models():
    return {model.key: model for model in MODELS}


@pytest.fixture(scope="session")
def box():
    return CropBox.of(left=-126, right=-110, bottom=41, top=50)


@pytest.fixture(scope="session")
def cycle():
    return CYCLE


@pytest.fixture(scope="session")
def mid_latitudes(models):
    """GFS points 25-65 N, 170-260 E: oceans, mountains, a few storms."""
    return window(models["gfs"].grid, 100, 680, 161, 361)


@pytest.fixture(scope="session")
def northwest(models):
    return window(models["gfs"].grid, 160, 936, 37, 65)
