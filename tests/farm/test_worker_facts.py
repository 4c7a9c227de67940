"""What is known of a worker: its share of memory, and which slot's it is that says something."""

from structlog.contextvars import get_contextvars

from twf_async.farm.memory import held, rss_mb


async def test_what_workers_share_is_counted_once(start_farm):
    farm = await start_farm(2)
    for worker in (slot["pid"] for slot in farm.status()):
        found = held(worker)

        assert 0.0 < found.pss_mb < 0.9 * found.rss_mb  # all that the forkserver has loaded
        assert 0.5 * found.rss_mb < rss_mb(worker) < 2.0 * found.rss_mb


async def test_every_line_of_a_worker_says_whose_it_is(start_farm):
    farm = await start_farm(1)

    bound = await farm.call(get_contextvars)

    assert bound == {"slot": 0, "pid": farm.status()[0]["pid"]}
