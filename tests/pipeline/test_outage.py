"""The network is away for a while in the middle of a run, or one file breaks off for ever."""

from contextlib import suppress

from twf_async.fetch.breaks import Breaks
from twf_async.fetch.errors import BrokenStream, Unreachable
from twf_async.pipeline.report import RunRequest
from twf_async.pipeline.run import RunPipeline
from twf_async.publish.manifest import RunState

from .test_discovery import NEW, at

FAR_MORE = 12  # failures than an hour of a run that is not waited for may have


def away():
    error = Unreachable("the name nomads.test cannot be resolved")
    error.retry_after_s = 0.0
    return error


async def test_it_costs_no_hour_however_often_one_is_asked_for_in_vain(open_bench):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.faults = {hour: [away() for _ in range(FAR_MORE)] for hour in (6, 9)}
        report = await RunPipeline(RunRequest("gfs", NEW), bench.shop).run()

    assert (report.state, report.missing) == (RunState.COMPLETE, ())
    assert bench.fetcher.asked.count((NEW, 6)) == FAR_MORE + 1
    assert bench.fetcher.asked.count((NEW, 3)) == 1


def broken():
    error, breaks = BrokenStream("connection reset"), Breaks()
    for _ in range(3):
        with suppress(BrokenStream), breaks.noted(lambda: 5000):
            raise error
    error.retry_after_s = 0.0
    return error


async def test_a_file_that_breaks_at_the_same_byte_for_ever_costs_its_hour_and_says_why(open_bench):
    async with open_bench(clock=at(16), products=["t2m"]) as bench:
        bench.fetcher.faults = {6: [broken() for _ in range(FAR_MORE)]}
        report = await RunPipeline(RunRequest("gfs", NEW, wait=False), bench.shop).run()
        hours = bench.tree.manifest("gfs", NEW).frames["pnw"]["t2m"]

    assert {hour for *_, hour in bench.tree.published("gfs", NEW)} == {0, 3, 9, 12}
    assert {frame.hour for frame in report.missing} == {6}
    assert {frame.detail for frame in report.missing} == {
        "hour 6: connection reset; 3 times in a row after 5000 bytes"
    }
    assert {hour: frame.reason for hour, frame in hours.items() if frame.reason} == {
        "f006": "connection broken"
    }
    assert len([hour for _, hour in bench.fetcher.asked if hour == 6]) < FAR_MORE
