"""Which runs a start goes on with, and when a source that does not answer is asked again."""

from datetime import UTC, datetime

import pytest

from twf_async.clock import Clock
from twf_async.fetch.errors import Unreachable
from twf_async.pipeline.discovery import RunFinder
from twf_async.pipeline.resuming import to_follow

OLD, NEW = "2026012900", "2026012906"
NOW = datetime(2026, 1, 29, 10, tzinfo=UTC)


@pytest.mark.parametrize(("policy", "followed"), [("finish", (NEW, OLD)), ("abandon", (NEW,))])
async def test_a_run_that_was_superseded_goes_on_only_where_that_is_the_policy(
    open_bench, policy, followed
):
    model = {"gives_up_min": 1000, "when_superseded": policy}
    async with open_bench(clock=Clock(NOW), **model) as bench:
        for cycle in (OLD, NEW):
            await bench.tree.open_run("gfs", cycle, hours=(0,), regions=("pnw",), products=("t2m",))
        gfs = bench.shop.settings().catalog.models["gfs"]

        assert to_follow(gfs, bench.tree, NOW) == followed


async def test_a_source_that_could_not_be_asked_is_asked_again_after_the_usual_pause(
    open_bench, monkeypatch
):
    async def fail(*_, **__):
        raise Unreachable("http://source does not answer")

    async with open_bench(clock=Clock(NOW), poll_s=30) as bench:
        monkeypatch.setattr(bench.fetcher, "appeared", fail)
        gfs = bench.shop.settings().catalog.models["gfs"]
        finder = RunFinder(gfs, bench.shop)

        assert await finder.look() is None
        assert finder.fault == "source unreachable"
        assert await finder.pause_s() == 30
