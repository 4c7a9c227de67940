"""A replica of the real files on a free port, and a client that asks it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.replica.asking import GFS, HRRR, Client
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.faults.script import Fault
from twf_async.replica.main import running_replica
from twf_async.replica.running import running
from twf_async.replica.tree import FileTree


@pytest.fixture
async def replica(test_data: Path) -> AsyncIterator[Client]:
    """The real files, all released."""
    async with (
        running_replica(DirectoryTree(test_data / "nomads")) as url,
        aiohttp.ClientSession() as session,
    ):
        yield Client(session, url)


@pytest.fixture
def scripted(test_data: Path):
    """The real files with faults: `async with scripted(Fault(...)) as (client, replica)`."""

    @asynccontextmanager
    async def play(*faults: Fault, tree: FileTree | None = None, **how):
        served = tree or DirectoryTree(test_data / "nomads")
        async with (
            running(served, *faults, **how) as replica,
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        ):
            yield Client(session, replica.url), replica

    return play


@pytest.fixture(scope="session")
def gfs_f006(test_data: Path) -> bytes:
    return (test_data / f"nomads{GFS}/gfs.t12z.pgrb2.0p25.f006").read_bytes()


@pytest.fixture(scope="session")
def hrrr_f06(test_data: Path) -> bytes:
    return (test_data / f"nomads{HRRR}/hrrr.t17z.wrfsfcf06.grib2").read_bytes()
