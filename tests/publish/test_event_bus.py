from twf_async.publish.events import EventBus


async def test_every_listener_hears_everything_since_it_came():
    bus = EventBus()
    bus.emit("early", {})
    async with bus.subscribe() as one, bus.subscribe() as two:
        bus.emit("frame.published", {"hour": 6})
        bus.close()
        assert [e.name async for e in one] == [e.name async for e in two] == ["frame.published"]
        assert one.ended
    assert bus.subscribers == 0


async def test_a_slow_listener_loses_the_oldest_and_is_told_how_many():
    bus = EventBus(queue_limit=3)
    async with bus.subscribe() as slow:
        for hour in range(10):
            bus.emit("frame.published", {"hour": hour})
        bus.close()
        heard = [(e.name, dict(e.data)) async for e in slow]
    assert heard == [
        ("events.lost", {"count": 7}),
        *(("frame.published", {"hour": hour}) for hour in (7, 8, 9)),
    ]


async def test_waiting_for_an_event_can_end_without_one():
    bus = EventBus()
    async with bus.subscribe() as listener:
        assert await listener.get(timeout_s=0.01) is None
        assert not listener.ended
        bus.emit("x", {})
        assert (await listener.get(timeout_s=1)).name == "x"


async def test_who_comes_after_the_end_hears_nothing():
    bus = EventBus()
    bus.close()
    async with bus.subscribe() as late:
        assert [e async for e in late] == []
