"""The name of a source cannot be resolved for a while: the name server of the machine is away."""

import socket
import threading
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from tests.fetch.fakes.messages import CUT_OUT, CYCLE, T2M, file_of, message
from twf_async.fetch.errors import Unreachable
from twf_async.fetch.patience import Patience

NOMADS, MIRROR = "nomads.test", "mirror.test"
GFS = "/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
MIRRORED = "/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
ATTEMPTS = 4
PATIENCE = Patience(attempts=ATTEMPTS, scale=0.0005)


class Names:
    """The name server. away: names that it cannot tell; asked: all that it was asked for.

    talks   cleared while it does not say a word
    """

    def __init__(self, resolve):
        self._resolve = resolve
        self.away, self.asked = set(), []
        self.talks = threading.Event()
        self.talks.set()

    def getaddrinfo(self, host, *args, **kwargs):
        if host not in {NOMADS, MIRROR}:
            return self._resolve(host, *args, **kwargs)
        self.asked.append(host)
        self.talks.wait(60)
        if host in self.away:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return self._resolve("127.0.0.1", *args, **kwargs)


@pytest.fixture
def names(monkeypatch):
    names = Names(socket.getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    return names


@pytest.fixture
def published(nomads):
    content, idx = file_of(T2M)
    nomads.files |= {GFS: content, f"{GFS}.idx": idx.encode()}
    nomads.filtered = lambda _: message(T2M, grid=CUT_OUT)
    return nomads


def by_name(name, fake):
    return f"http://{name}:{urlsplit(fake.url).port}"


async def test_it_is_said_in_so_many_words_asked_a_few_times_and_all_is_well_when_it_is_back(
    names, published, running, gfs, want
):
    names.away = {NOMADS}
    with capture_logs() as logs:
        async with running(by_name(NOMADS, published), patience=PATIENCE) as fetcher:
            with pytest.raises(Unreachable):
                await fetcher.appeared(gfs, CYCLE, 6)
            assert len(names.asked) == 1
            with pytest.raises(Unreachable) as away:
                await fetcher.hour(want(gfs, T2M))
            assert len(names.asked) == 1 + ATTEMPTS
            names.away.clear()
            got = await fetcher.hour(want(gfs, T2M))

    assert str(away.value) == (
        "the name nomads.test cannot be resolved (Temporary failure in name resolution);"
        " check upstream.nomads_url and the network"
    )
    assert away.value.holds_run is True
    (failed,) = [line for line in logs if line["event"] == "fetch.failed"]
    assert (failed["reason"], failed["detail"]) == ("source unreachable", str(away.value))
    assert got.missing == frozenset()
    assert len(published.asked) == 2  # no look at whether the file may be trusted


async def test_a_name_server_that_says_nothing_is_asked_once_however_many_wait_for_it(
    names, published, running, gfs, want
):
    names.talks.clear()
    upstream = {"connect_timeout_s": 0.05, "patience": PATIENCE}
    async with running(by_name(NOMADS, published), **upstream) as fetcher:
        with pytest.raises(Unreachable, match="its name was not resolved, or no connection made"):
            await fetcher.hour(want(gfs, T2M))
        asked = len(names.asked)
        names.talks.set()

    assert asked == 1


async def test_between_an_inventory_and_its_file_it_costs_the_file_nothing(
    names, published, running, gfs, want
):
    """What was asked for is asked for again; the inventory is not, and nothing is doubted."""
    async with running(by_name(NOMADS, published), patience=PATIENCE) as fetcher:
        await fetcher.appeared(gfs, CYCLE, 6)
        names.away = {NOMADS}
        fetcher._engine.transport.session.client.connector.clear_dns_cache()  # ten seconds later
        with pytest.raises(Unreachable):
            await fetcher.hour(want(gfs, T2M))
        names.away.clear()
        got = await fetcher.hour(want(gfs, T2M))

    assert got.missing == frozenset()
    assert [asked.path for asked in published.asked] == [
        f"{GFS}.idx",
        "/cgi-bin/filter_gfs_0p25_1hr.pl",
    ]


async def test_the_mirror_gives_the_hour_at_once_where_its_own_name_is_known(
    names, published, mirror, running, gfs, want
):
    names.away = {NOMADS}
    mirror.files |= {path.replace(GFS, MIRRORED): body for path, body in published.files.items()}
    upstream = {"aws_url": by_name(MIRROR, mirror), "patience": PATIENCE}
    async with running(by_name(NOMADS, published), **upstream) as fetcher:
        got = await fetcher.hour(want(gfs, T2M))

    assert got.source == "aws"
    assert names.asked.count(NOMADS) == ATTEMPTS


async def test_where_no_name_is_known_both_are_asked_a_few_times_and_nomads_is_told_of(
    names, published, mirror, running, gfs, want
):
    names.away = {NOMADS, MIRROR}
    upstream = {"aws_url": by_name(MIRROR, mirror), "patience": PATIENCE}
    async with running(by_name(NOMADS, published), **upstream) as fetcher:
        with pytest.raises(Unreachable, match=f"the name {NOMADS} cannot be resolved"):
            await fetcher.hour(want(gfs, T2M))

    assert (names.asked.count(NOMADS), names.asked.count(MIRROR)) == (ATTEMPTS, ATTEMPTS)
