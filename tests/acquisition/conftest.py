import multiprocessing

import pytest

from tests.acquisition.fault_bench import Bench, lay_out
from twf_async.farm.boot import boot
from twf_async.settings.load import load


@pytest.fixture(scope="session")
def context() -> multiprocessing.context.ForkServerContext:
    return boot()


@pytest.fixture(scope="session")
def maps(tmp_path_factory):
    """Pixel maps that all rehearsals share: they depend on the region alone."""
    return tmp_path_factory.mktemp("pixelmaps")


@pytest.fixture(scope="session")
def bench(test_data, config_dir, tmp_path_factory):
    """What is true of the laid out files is found out once for all."""
    folder = tmp_path_factory.mktemp("faults")
    models = load(config_dir, {}).catalog.models
    return Bench(lay_out(test_data, folder / "files"), models, folder / "caches")
