"""Fixtures that every room uses: the real GRIB files, a free port."""

import os
from pathlib import Path

import hypothesis
import pyproj  # noqa: F401 - before any test imports eccodes, see render_farm.decode
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

hypothesis.settings.register_profile("untimed", deadline=None)  # tests assert no times
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Real GRIB2 and idx files: `nomads/`, `gfs-2p5/`, `idx/` below it."""
    root = Path(os.environ.get("TWF_TEST_DATA", REPOSITORY.parent / "shared"))
    if not (root / "nomads").is_dir():
        pytest.skip(f"no real GRIB files at {root}; set TWF_TEST_DATA to their directory")
    return root


@pytest.fixture(scope="session")
def config_dir() -> Path:
    """The configuration that is shipped."""
    return REPOSITORY / "config"
