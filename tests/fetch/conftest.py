"""A fetcher with short pauses, a fake on the other side, and the shipped models."""

import socket
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from render_farm.domain.places import Box
from tests.fetch.fakes.messages import CYCLE
from tests.fetch.fakes.nomads import fake_nomads
from twf_async.clock import Clock
from twf_async.fetch.fetched import HourWanted
from twf_async.fetch.fetcher import Fetcher
from twf_async.fetch.patience import Patience
from twf_async.settings.load import load
from twf_async.settings.service import FetchSettings, UpstreamSettings

NOW = datetime(2026, 1, 29, 18, tzinfo=UTC)
PNW = Box(west=-126.0, east=-109.0, south=41.25, north=49.5)


@pytest.fixture(scope="session")
def models(config_dir):
    return load(config_dir, {}).catalog.models


@pytest.fixture
def gfs(models):
    return models["gfs"]


@pytest.fixture
def aigfs(models):
    return models["aigfs"]


@pytest.fixture
async def nomads():
    async with fake_nomads() as fake:
        yield fake


@pytest.fixture
def nobody():
    """An address at which nobody listens, nor will: it is taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield "http://{}:{}".format(*taken.getsockname())


@pytest.fixture
async def mirror():
    async with fake_nomads() as fake:
        yield fake


@pytest.fixture
def running(tmp_path):
    """Makes fetchers whose back-offs take a thousandth of the time."""

    @asynccontextmanager
    async def run(url, *, fetch=None, patience=None, now=NOW, per_min=1e6, **upstream):
        upstream.setdefault("aws_url", "")
        fetcher = Fetcher(
            UpstreamSettings(nomads_url=url, **upstream),
            fetch or FetchSettings(),
            cache_dir=tmp_path / "cache",
            clock=Clock(now),
            patience=patience or Patience(attempts=4, scale=0.0005),
            requests_per_min=per_min,
        )
        await fetcher.start()
        try:
            yield fetcher
        finally:
            await fetcher.stop()

    return run


@pytest.fixture
def want():
    def make(model, *keys, hour=6, box=PNW, cycle=CYCLE):
        return HourWanted(model, cycle, hour, frozenset(keys), box)

    return make
