import pytest

from tests.emergency.machine import Hog, memory_group
from tests.integration import conftest as commands

config = commands.config
prepared = commands.prepared
rehearsal = commands.rehearsal
replica = commands.replica
start = commands.start
start_from_nothing = commands.start_from_nothing
twf = commands.twf


@pytest.fixture
def state(tmp_path):
    """Where the service keeps things; its maps are small, for it is the machine that is tried."""
    return {
        "TWF_STATE_DIR": str(tmp_path / "state"),
        "TWF_CACHE_DIR": str(tmp_path / "cache"),
        "TWF_PUBLISH_DIR": str(tmp_path / "publish"),
        "TWF_FARM__WORKERS": "1",
        "TWF_REGIONS__PNW__WIDTH_PX": "400",
        "TWF_REGIONS__PNW__HEIGHT_PX": "300",
        "TWF_MODELS__GFS__PRODUCTS": '["t2m"]',
    }


@pytest.fixture
def group(request):
    """A control group of LIMIT_MB, as the test's module has it."""
    with memory_group(request.module.LIMIT_MB) as made:
        if made is None:
            pytest.skip("no control group with a limit of memory can be made here")
        yield made


@pytest.fixture
def hog():
    started = []

    def begin(prefix=()):
        started.append(Hog(prefix))
        return started[-1]

    yield begin
    for each in started:
        each.die()
