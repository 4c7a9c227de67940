"""Hours for which nearly every request goes wrong, each in another way: they come, byte for byte.

Whole runs under a few faults are rehearsed elsewhere; here faults meet faults.
"""

import asyncio

import pytest

from tests.acquisition.fault_bench import (
    AIGFS,
    BOTH,
    GFS,
    HRRR,
    MIRROR,
    RANGES,
    SEVERAL,
)
from twf_async.fetch.errors import Throttled
from twf_async.replica.faults.kinds import Kind
from twf_async.replica.faults.mixes import mixed

WAYS = (GFS, AIGFS, HRRR, RANGES, SEVERAL, MIRROR, BOTH)
CUT_OUT = {GFS, HRRR}
# Silences cost real time, and are in the matrix; flipped bits are for whoever decodes to see. That
# a cut-out is of another grid can only be told by other hours.
WITHOUT = {Kind.FLIP, Kind.HANG, Kind.STALL, Kind.DRIP}
SHARE = 0.65
CALLS = 60


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize(
    "seed", [117, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 61))]
)
async def test_an_hour_comes_whole_through_a_mix_of_faults(seed, way, bench):
    truth = await bench.truth(way)
    without = WITHOUT | ({Kind.OTHER_GRID} if way in CUT_OUT else set())
    faults = mixed(SHARE, seed, without=without).faults

    async with bench.client(way, *faults, seed=seed, silence_s=0.4, throttle_s=0.1) as client:
        for _ in range(CALLS):
            got = await client.ask(way)
            if got.error is None:
                break
            assert got.error.retry_after_s is not None
            assert not [name for name in got.kept if ".part" in name]
            if isinstance(got.error, Throttled):
                await asyncio.sleep(got.error.retry_after_s)
            client.clock.move(20)

    assert got.error is None
    assert got.fields == truth.fields
