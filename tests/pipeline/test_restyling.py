"""Older runs that are brought to another style, and what may come in between."""

from dataclasses import replace

from structlog.testing import capture_logs

from render_farm.domain.jobs import HourFailed, Reason
from tests.pipeline.test_asked_runs import NEW, OLD, OLDER, at, following, until
from tests.pipeline.test_restyled import old_style, redrawn
from twf_async.pipeline.once import run_once
from twf_async.pipeline.report import RunRequest

TRIES = 2


async def test_a_full_disk_costs_an_older_run_time_and_not_its_turn(open_bench, monkeypatch):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles = {OLDER, OLD, NEW}
        for cycle in (OLDER, OLD):
            await run_once(RunRequest("gfs", cycle, wait=False), bench.shop)
        sound, refused = bench.renderer.render, []

        async def render(job, *, begun):
            if job.cycle == OLD and len(refused) < TRIES:
                refused.append(job)
                return HourFailed("gfs", OLD, job.hour, Reason.NO_SPACE, "No space left on device")
            return await sound(job, begun=begun)

        monkeypatch.setattr(bench.renderer, "render", render)
        changed = redrawn(bench.shop.settings())
        with capture_logs() as lines:
            async with following(replace(bench.shop, settings=lambda: changed)) as poller:
                await until(lambda: len(refused) == TRIES)
                await until(lambda: bench.renderer.drawn[OLDER, 12, "pnw", "t2m"] == 2)
                await until(lambda: not poller.active_cycles)
        await bench.tree.flush()

        assert old_style(bench, OLD) == old_style(bench, OLDER) == set()
        restyled = [line["cycle"] for line in lines if line["event"] == "pipeline.run_restyled"]
        assert restyled == [OLD, OLDER]  # it waited for nothing but room
