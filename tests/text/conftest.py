import tomllib

import pytest

from render_farm.domain.places import Station
from render_farm.domain.products import Product
from render_farm.domain.scales import Scale


def read(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def scales(config_dir):
    return {key: Scale(key=key, **table) for key, table in read(config_dir / "scales.toml").items()}


@pytest.fixture(scope="session")
def products(config_dir):
    return {k: Product(key=k, **table) for k, table in read(config_dir / "products.toml").items()}


@pytest.fixture(scope="session")
def curated(config_dir):
    tables = read(config_dir / "stations.toml")["stations"]
    return tuple(Station(**table) for table in tables)
