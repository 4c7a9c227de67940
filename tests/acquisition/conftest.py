import multiprocessing

import pytest

from twf_async.farm.boot import boot


@pytest.fixture(scope="session")
def context() -> multiprocessing.context.ForkServerContext:
    return boot()


@pytest.fixture(scope="session")
def maps(tmp_path_factory):
    """Pixel maps that all rehearsals share: they depend on the region alone."""
    return tmp_path_factory.mktemp("pixelmaps")
