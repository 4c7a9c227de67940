import multiprocessing

import pytest

from twf_async.farm.boot import boot
from twf_async.farm.slot import SlotSpec


@pytest.fixture(scope="session")
def context() -> multiprocessing.context.ForkServerContext:
    return boot()


@pytest.fixture
def spec(context) -> SlotSpec:
    return SlotSpec(context, max_tasks_per_child=3, log_level="info", console=False)
