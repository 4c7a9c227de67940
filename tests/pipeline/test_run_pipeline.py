import asyncio
import json

import pytest
from structlog.testing import capture_logs

from render_farm.domain.jobs import Reason
from tests.upkeep.mounts import make_read_only, mounted
from twf_async.clock import Clock
from twf_async.errors import BadInput
from twf_async.fetch.errors import Refused, Truncated
from twf_async.pipeline.once import run_once
from twf_async.pipeline.report import RunRequest
from twf_async.pipeline.run import RunPipeline
from twf_async.publish.manifest import FrameState, RunState

CYCLE = "2026012912"
ONCE = RunRequest("gfs", CYCLE, wait=False)
HOURS = (0, 3, 6, 9, 12)


def states(manifest, product, region="pnw"):
    return {name: record.state.value for name, record in manifest.frames[region][product].items()}


async def test_a_whole_run_is_published_and_what_cannot_exist_is_not_applicable(open_bench):
    async with open_bench() as bench:
        report = await run_once(ONCE, bench.shop)

        assert report.state is RunState.COMPLETE
        assert (report.expected, report.published, report.drawn) == (36, 36, 36)
        assert report.not_applicable == 4  # two totals, two regions, hour 0
        assert report.missing == ()
        manifest = bench.tree.manifest("gfs", CYCLE)
        assert manifest.frames["ne"]["snow"]["f000"].state is FrameState.NOT_APPLICABLE
        assert manifest.frames["ne"]["snow"]["f000"].reason == "no accumulation at hour 0"
        for region, products in manifest.frames.items():
            for product, hours in products.items():
                for name, record in hours.items():
                    path = bench.tree.frame_path("gfs", CYCLE, region, product, int(name[1:]))
                    assert path.is_file() == (record.state is FrameState.PUBLISHED)
        assert list(bench.tree.staging.iterdir()) == []


async def test_a_restart_draws_nothing_that_is_published_and_asks_for_nothing(open_bench):
    async with open_bench() as bench:
        await run_once(ONCE, bench.shop)
        before = bench.tree.manifest_json("gfs", CYCLE)
    async with open_bench() as again:
        report = await run_once(ONCE, again.shop)

        assert (report.published, report.drawn, report.state) == (36, 0, RunState.COMPLETE)
        assert again.renderer.jobs == []
        assert again.fetcher.asked == []
        old, new = json.loads(before), json.loads(again.tree.manifest_json("gfs", CYCLE))
        assert old["frames"] == new["frames"]


async def test_a_cancelled_run_is_finished_by_the_next_start_without_drawing_twice(open_bench):
    async with open_bench() as bench:
        bench.renderer.allowed = asyncio.Semaphore(2)
        task = asyncio.create_task(run_once(ONCE, bench.shop))
        async with bench.shop.events.subscribe() as events:
            while (await events.get()).name != "frame.published":
                pass
        task.cancel()
        await asyncio.wait({task})
    async with open_bench() as again:
        online = again.tree.published("gfs", CYCLE)
        assert online
        report = await run_once(ONCE, again.shop)

        assert report.state is RunState.COMPLETE
        assert report.drawn == 36 - len(online)
        assert not {(r, p, h) for _, h, r, p in again.renderer.drawn} & online


async def test_a_later_hour_alone_fetches_the_earlier_files_that_its_products_take(open_bench):
    async with open_bench() as bench:
        report = await run_once(RunRequest("gfs", CYCLE, hours=(12,), wait=False), bench.shop)

        assert sorted(hour for _, hour in bench.fetcher.asked) == [6, 12]
        assert {str(key) for key in bench.fetcher.wanted[6].keys} == {
            "APCP:surface:0-6 hour acc fcst",
            "CSNOW:surface:0-6 hour ave fcst",
        }
        assert (report.published, report.expected) == (8, 8)
        assert [job.hour for job in bench.renderer.jobs] == [12]


async def test_a_run_of_which_others_asked_for_more_is_not_called_complete(open_bench):
    async with open_bench() as bench:
        await bench.tree.open_run(
            "gfs", CYCLE, hours=HOURS, regions=["pnw"], products=["t2m"], notice="", whole=True
        )

        report = await run_once(RunRequest("gfs", CYCLE, (0, 3), wait=False), bench.shop)

        assert report.missing == ()
        assert report.state is RunState.PARTIAL
        manifest = bench.tree.manifest("gfs", CYCLE)
        assert manifest.state is RunState.PARTIAL
        assert manifest.frames["pnw"]["t2m"]["f012"].state is FrameState.EXPECTED


async def test_one_box_holds_what_all_regions_show(open_bench):
    async with open_bench() as bench:
        await run_once(ONCE, bench.shop)

        box = bench.fetcher.wanted[3].box
        assert (box.west, box.east, box.south, box.north) == (-126, -64, 42, 49)


async def test_a_missing_field_costs_its_own_frames_and_an_optional_one_none(open_bench):
    async with open_bench() as bench:
        bench.fetcher.absent_keys = {
            "TMP:2 m above ground:6 hour fcst",
            "CRAIN:surface:3 hour fcst",
        }
        report = await run_once(ONCE, bench.shop)

        assert report.state is RunState.PARTIAL
        assert {(m.product, m.hour, m.reason) for m in report.missing} == {
            ("t2m", 6, "field missing")
        }
        assert "TMP:2 m above ground:6 hour fcst" in report.missing[0].detail
        assert report.published == 34
        typed = {
            job.hour: set(task.inputs)
            for job in bench.renderer.jobs
            for task in job.tasks
            if task.product.key == "typed"
        }
        assert typed[3] == {"value"}
        assert typed[6] == {"value", "rain"}
        record = bench.tree.manifest("gfs", CYCLE).frames["pnw"]["t2m"]["f006"]
        assert (record.state, record.reason) == (FrameState.FAILED, "field missing")


async def test_without_waiting_an_hour_that_is_not_there_fails_with_that_reason(open_bench):
    async with open_bench() as bench:
        bench.fetcher.hours = {0, 3, 9, 12}
        report = await run_once(ONCE, bench.shop)

        gone = {(m.product, m.hour): m.reason for m in report.missing}
        assert set(gone.values()) == {"not published"}
        assert set(gone) == {(p, 6) for p in ("t2m", "total", "snow", "typed")} | {
            ("snow", 9),  # takes the bucket of hour 6
            ("snow", 12),
        }
        assert states(bench.tree.manifest("gfs", CYCLE), "t2m")["f009"] == "published"
        run = (await bench.shop.ledger.runs())[0]
        assert run.state == "partial"
        hours = {h.hour: h for h in await bench.shop.ledger.hours("gfs", CYCLE)}
        assert (hours[6].state, hours[6].reason) == ("failed", "not published")
        assert (hours[9].state, hours[9].method, hours[9].bytes) == ("published", "FILTERED", 4)


async def test_a_failing_download_is_tried_again_and_a_hopeless_one_is_not(open_bench):
    truncated = Truncated("cut")
    truncated.retry_after_s = 0.01
    async with open_bench() as bench:
        bench.fetcher.faults = {3: [truncated, truncated], 6: [Refused("405")]}
        report = await run_once(ONCE, bench.shop)

        asked = [hour for _, hour in bench.fetcher.asked]
        assert (asked.count(3), asked.count(6)) == (3, 1)
        assert {m.reason for m in report.missing} == {"request refused"}
        assert states(bench.tree.manifest("gfs", CYCLE), "t2m")["f003"] == "published"


async def test_a_hopeless_download_ends_after_its_attempts(open_bench):
    faults = [Truncated("cut") for _ in range(9)]
    for fault in faults:
        fault.retry_after_s = 0.001
    async with open_bench(service={"fetch": {"attempts": 3}}) as bench:
        bench.fetcher.faults = {0: faults}
        report = await run_once(RunRequest("gfs", CYCLE, hours=(0,), wait=False), bench.shop)

        assert len(bench.fetcher.asked) == 3
        assert {m.reason for m in report.missing} == {"truncated"}


async def test_what_the_worker_could_not_draw_is_failed_and_the_rest_published(open_bench):
    async with open_bench() as bench:
        bench.renderer.failing = {("pnw", "t2m"): Reason.BAD_DATA}
        bench.renderer.lost_hours = {9}
        report = await run_once(ONCE, bench.shop)

        assert {m.reason for m in report.missing if m.hour == 9} == {"worker died"}
        assert {(m.region, m.product) for m in report.missing if m.hour == 3} == {("pnw", "t2m")}
        frames = await bench.shop.ledger.frames("gfs", CYCLE)
        lost = [f for f in frames if f.hour == 3 and f.state == "failed"]
        assert [(f.region, f.product, f.reason) for f in lost] == [("pnw", "t2m", "bad data")]


async def test_batch_draws_nothing_before_everything_is_fetched(open_bench):
    async with open_bench(service={"fetch": {"mode": "batch", "ahead_hours": 1}}) as bench:
        fetched_when_drawn = []
        render = bench.renderer.render

        async def watched(job, **how):
            fetched_when_drawn.append(len(bench.fetcher.asked))
            return await render(job, **how)

        bench.renderer.render = watched
        report = await run_once(ONCE, bench.shop)

        assert report.state is RunState.COMPLETE
        assert fetched_when_drawn == [5] * 5


async def test_fetching_runs_ahead_of_drawing_by_a_bounded_number_of_hours(open_bench):
    async with open_bench(service={"fetch": {"ahead_hours": 2}}) as bench:
        bench.renderer.allowed = asyncio.Semaphore(0)
        run = RunPipeline(ONCE, bench.shop)
        task = asyncio.create_task(run.run())
        await bench.renderer.started.wait()
        for _ in range(50):
            await asyncio.sleep(0.002)
        assert sorted(hour for _, hour in bench.fetcher.asked) == [0, 3]
        for _ in range(5):
            bench.renderer.allowed.release()
        assert (await task).state is RunState.COMPLETE
        assert bench.fetcher.most_busy <= 2


async def test_a_shut_gate_stops_new_work_and_an_open_one_lets_it_go_on(open_bench):
    async with open_bench() as bench:
        await bench.shop.gate.pause("memory low", by="watchdog")
        task = asyncio.create_task(run_once(ONCE, bench.shop))
        for _ in range(20):
            await asyncio.sleep(0.002)
        assert (bench.fetcher.asked, bench.renderer.jobs) == ([], [])
        await bench.shop.gate.resume(by="watchdog")
        assert (await task).state is RunState.COMPLETE


async def test_a_held_download_door_still_lets_what_is_here_be_drawn(open_bench):
    async with open_bench() as bench:
        bench.renderer.allowed = asyncio.Semaphore(0)
        task = asyncio.create_task(run_once(ONCE, bench.shop))
        await bench.renderer.started.wait()
        await bench.shop.gate.hold_fetches("disk nearly full", by="watchdog")
        asked = len(bench.fetcher.asked)
        for _ in range(9):
            bench.renderer.allowed.release()
        async with bench.shop.events.subscribe() as events:
            while (await events.get()).name != "frame.published":
                pass
        assert len(bench.fetcher.asked) <= asked + 2  # those that had passed the door
        await bench.shop.gate.release_fetches(by="watchdog")
        assert (await task).state is RunState.COMPLETE


async def test_a_drain_publishes_what_is_being_drawn_and_starts_nothing_more(open_bench):
    async with open_bench() as bench:
        bench.renderer.allowed = asyncio.Semaphore(0)
        run = RunPipeline(ONCE, bench.shop)
        task = asyncio.create_task(run.run())
        await bench.renderer.started.wait()
        run.drain()
        asked = len(bench.fetcher.asked)
        for _ in range(9):
            bench.renderer.allowed.release()
        report = await task

        assert report.state is RunState.RUNNING
        assert len(bench.fetcher.asked) == asked
        assert report.drawn == sum(
            len(task.regions) for job in bench.renderer.jobs for task in job.tasks
        )
        assert report.drawn > 0
        assert bench.tree.manifest("gfs", CYCLE).state is RunState.RUNNING


async def test_progress_and_events_count_every_frame(open_bench):
    async with open_bench() as bench, bench.shop.events.subscribe() as events:
        counts = []
        await run_once(ONCE, bench.shop, on_progress=counts.append)
        bench.shop.events.close()
        names = [event.name async for event in events]

        assert names[0] == "run.started"
        assert names[-1] == "run.complete"
        assert names.count("frame.published") == 36
        assert counts[-1].published == 36
        assert [c.published for c in counts] == sorted(c.published for c in counts)


async def test_latest_is_the_newest_run_that_has_data(open_bench):
    async with open_bench() as bench:
        bench.fetcher.cycles = {"2026012906", CYCLE}
        report = await run_once(RunRequest("gfs", "latest", hours=(0,), wait=False), bench.shop)

        assert report.cycle == CYCLE


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (RunRequest("nam", CYCLE), "no model 'nam'"),
        (RunRequest("gfs", "20260129"), "YYYYMMDDHH"),
        (RunRequest("gfs", "2026012913"), "no run at 13"),
        (RunRequest("gfs", CYCLE, hours=(0, 5)), "no hour 5"),
        (RunRequest("gfs", CYCLE, products=("cape",)), "no product cape"),
        (RunRequest("gfs", CYCLE, regions=("mars",)), "no region mars"),
    ],
)
async def test_a_request_that_cannot_be_is_refused_in_one_sentence(open_bench, request_, words):
    async with open_bench() as bench:
        with pytest.raises(BadInput, match=words):
            await run_once(request_, bench.shop)


async def test_a_disk_that_turns_read_only_costs_time_and_no_map(open_bench, tmp_path):
    with mounted(tmp_path / "publish", "size=8m") as disk:
        async with open_bench(clock=Clock(speed=600.0)) as bench:
            with capture_logs() as lines:
                make_read_only(disk)
                running = asyncio.create_task(run_once(ONCE, bench.shop))
                async with asyncio.timeout(60):
                    while "hour" not in {key for line in lines for key in line}:
                        await asyncio.sleep(0.01)
            make_read_only(disk, again=False)
            report = await running

            (first, *_) = [line for line in lines if "hour" in line]
            assert first["event"] == "pipeline.publish_failed"
            assert "Read-only file system" in first["reason"]
            assert (report.state, report.published) == (RunState.COMPLETE, 36)
