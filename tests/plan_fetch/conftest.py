"""The inventories of real files."""

import pytest

from twf_async.plan.idx import parse_idx


@pytest.fixture(scope="session")
def inventory(test_data):
    def read(name):
        return parse_idx((test_data / "idx" / name).read_text())

    return read
