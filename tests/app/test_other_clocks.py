"""Where the other side's clock is another than ours, nobody is told how fresh the maps are."""

import pytest

from tests.app.test_freshness import NOW, entry
from twf_async.app.freshness_book import FreshnessBook
from twf_async.cli.demo import SPEED, _environment
from twf_async.clock import Clock
from twf_async.ledger.ledger import Ledger
from twf_async.settings.load import load


def test_the_demo_knows_that_its_replicas_clock_is_another(config_dir, tmp_path):
    settings = load(config_dir, _environment(tmp_path, "http://127.0.0.1:1", ["gfs"]))

    assert settings.service.clock.upstream_speed == SPEED
    assert not settings.service.clock.is_upstreams


@pytest.mark.parametrize(
    ("environ", "comparable"),
    [
        ({}, True),
        ({"TWF_CLOCK__SPEED": "30"}, True),
        ({"TWF_CLOCK__SPEED": "30", "TWF_CLOCK__UPSTREAM_SPEED": "30"}, True),
        ({"TWF_CLOCK__SPEED": "30", "TWF_CLOCK__UPSTREAM_SPEED": "1"}, False),
    ],
)
def test_times_are_comparable_where_both_clocks_run_alike(config_dir, environ, comparable):
    assert load(config_dir, environ).service.clock.is_upstreams == comparable


@pytest.fixture
async def ledger(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite", clock=Clock(NOW))
    await ledger.start()
    yield ledger
    await ledger.stop()


async def test_spans_between_two_clocks_are_neither_told_nor_kept(ledger):
    await FreshnessBook(ledger, Clock(NOW)).note(entry(0))

    book = FreshnessBook(ledger, Clock(NOW), measures=False)
    await book.start()
    await book.note(entry(1))

    assert book.figures("gfs") == {"window_h": 24, "hours": 0, "seconds": {}}
    assert [kept.hour for kept in await ledger.freshness(entry(0).upstream_at)] == [0]
