"""What every room uses: the real GRIB files, short directories; who runs which tests when."""

import gc
import os
import re
import signal
from pathlib import Path

import hypothesis
import pyproj  # noqa: F401 - before any test imports eccodes, see render_farm.decode
import pytest

from tests.sharing import slow_rooms_first

REPOSITORY = Path(__file__).resolve().parent.parent

# What tests start finds what an installation has: see there.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(REPOSITORY / "tests" / "bare"), *filter(None, [os.environ.get("PYTHONPATH")])]
)

hypothesis.settings.register_profile("untimed", deadline=None)  # tests assert no times
hypothesis.settings.load_profile("untimed")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job; inherited
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    slow_rooms_first(items)


def pytest_collection_finish():
    gc.freeze()  # thousands of tests and all libraries are no garbage, and are looked through often


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from tests.scheduling import Modules

    return Modules(config, log)


@pytest.fixture
def tmp_path(request, tmp_path_factory):
    """As pytest's, with a short name: the path of a socket in it may have 107 bytes."""
    name = re.sub(r"\W", "_", request.node.name.removeprefix("test_"))
    return tmp_path_factory.mktemp(name[:12])


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
