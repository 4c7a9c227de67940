"""A ledger that was lost: what the published tree and the cache still know goes into a new one."""

import hashlib
from datetime import UTC, datetime

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.jobs import Reason
from tests.pipeline.conftest import CYCLE
from tests.pipeline.test_run_pipeline import ONCE
from twf_async.clock import Clock
from twf_async.fetch.cache import Cache
from twf_async.fetch.record import Record
from twf_async.ledger.ledger import Ledger
from twf_async.pipeline.once import run_once
from twf_async.pipeline.rebuild import refill

CAME = datetime(2026, 1, 29, 15, 31, tzinfo=UTC)
KEY = MessageKey("TMP", "2 m above ground", 6, 6, Statistic.INSTANT)


async def download(cache, root, hour, method, content, *, question="a", last_modified=CAME):
    target = cache.target("gfs", CYCLE, hour, question)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    part.write_bytes(content)
    record = Record(
        str(target),
        "gfs",
        CYCLE,
        hour,
        "nomads",
        "gfs.f006",
        method,
        None,
        (KEY,),
        len(content),
        hashlib.sha256(content).hexdigest(),
        last_modified,
    )
    await cache.keep(part, record)


async def test_a_lost_ledger_is_filled_again_from_the_published_tree(open_bench, tmp_path):
    async with open_bench() as bench:
        bench.renderer.failing = {("pnw", "t2m"): Reason.BAD_DATA}
        await run_once(ONCE, bench.shop)
    (tmp_path / "state" / "ledger.sqlite").write_bytes(b"rubbish" * 1000)
    async with open_bench() as bench:
        ledger = bench.shop.ledger
        assert ledger.set_aside is not None
        assert ledger.begun_anew
        assert await refill(ledger, bench.tree, Cache(tmp_path / "grib")) == 31
        assert (await ledger.runs())[0].state == "partial"
        frames = await ledger.frames("gfs", CYCLE)
        assert len(frames) == 31
        hours = await ledger.hours("gfs", CYCLE)
        assert {hour.state for hour in hours} == {"published"}
        for hour in hours:
            online = [frame.published_at for frame in frames if frame.hour == hour.hour]
            assert hour.published_at == max(online)
    async with open_bench() as bench:
        assert not bench.shop.ledger.begun_anew
        assert len(await bench.shop.ledger.frames("gfs", CYCLE)) == 31


async def test_what_was_downloaded_is_known_again_from_the_cache(open_bench, tmp_path):
    cache = Cache(tmp_path / "grib")
    async with open_bench() as bench:
        await run_once(ONCE, bench.shop)
    await download(cache, tmp_path, 6, "RANGES", b"GRIB" * 10)
    await download(cache, tmp_path, 6, "RANGES", b"GRIB" * 5, question="b", last_modified=None)
    await download(cache, tmp_path, 9, "FILTERED", b"GRIB" * 7)
    ledger = Ledger(tmp_path / "new.sqlite", clock=Clock(CAME))
    await ledger.start()
    async with open_bench() as bench:
        assert (ledger.set_aside, ledger.begun_anew) == (None, True)
        await refill(ledger, bench.tree, cache)
    hours = {hour.hour: hour for hour in await ledger.hours("gfs", CYCLE)}
    known = hours[6]
    assert (known.method, known.source, known.bytes) == ("RANGES", "nomads", 60)
    assert known.upstream_at == CAME
    assert known.fetched_at is not None
    assert known.state == "published"
    assert (hours[9].method, hours[9].bytes) == ("FILTERED", 28)
    arrivals = await ledger.arrivals("gfs", CYCLE, runs=1)
    assert [(arrival.hour, arrival.arrived_at) for arrival in arrivals] == [(6, CAME)]
    await ledger.stop()
