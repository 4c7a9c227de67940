import asyncio

from twf_async.pipeline.gate import DispatchGate


async def test_a_favour_lets_exactly_one_render_through_a_shut_gate():
    gate = DispatchGate()
    await gate.pause("memory low", by="watchdog")
    passed = []

    async def work(name):
        async with gate.passage():
            passed.append(name)

    tasks = [asyncio.create_task(work(name)) for name in "ab"]
    await asyncio.sleep(0.01)
    assert passed == []
    await gate.let_one_through(by="watchdog")
    await asyncio.sleep(0.01)
    assert len(passed) == 1
    await gate.resume(by="watchdog")
    await asyncio.wait(tasks)
    assert sorted(passed) == ["a", "b"]
    assert gate.running == 0


async def test_downloads_wait_for_both_doors():
    gate = DispatchGate()
    await gate.pause("memory low", by="watchdog")
    await gate.hold_fetches("disk nearly full", by="watchdog")
    task = asyncio.create_task(gate.wait_fetch())
    await gate.resume(by="watchdog")
    await asyncio.sleep(0.01)
    assert not task.done()
    await gate.release_fetches(by="watchdog")
    await task
    assert gate.status() == {
        "open": True,
        "reason": "",
        "held_by": {},
        "fetch_open": True,
        "fetch_reason": "",
        "fetch_held_by": {},
        "running": 0,
    }


async def test_what_an_operator_paused_only_he_resumes():
    gate = DispatchGate()
    await gate.pause("maintenance", by="operator")
    await gate.pause("memory low", by="watchdog")
    assert gate.paused_because == "maintenance; memory low"
    await gate.resume(by="watchdog")
    await gate.resume(by="watchdog")
    assert (gate.is_open, gate.status()["held_by"]) == (False, {"operator": "maintenance"})
    await gate.pause("memory low", by="watchdog")
    await gate.resume(by="operator")
    assert gate.paused_because == "memory low"
    await gate.resume(by="watchdog")
    assert gate.is_open


async def test_a_favour_of_the_watchdog_does_not_go_past_an_operator():
    gate = DispatchGate()
    await gate.pause("maintenance", by="operator")
    await gate.let_one_through(by="watchdog")
    await gate.pause("memory low", by="watchdog")
    await gate.let_one_through(by="watchdog")
    task = asyncio.create_task(gate.wait_open())
    await asyncio.sleep(0.01)
    assert not task.done()
    await gate.resume(by="operator")  # now the favour reaches past the only pause that is left
    await task
    assert not gate.is_open


async def test_a_favour_ends_with_the_pause_that_it_was_for():
    gate = DispatchGate()
    await gate.pause("memory low", by="watchdog")
    await gate.let_one_through(by="watchdog")
    await gate.resume(by="watchdog")
    await gate.pause("memory low", by="watchdog")
    task = asyncio.create_task(gate.wait_open())
    await asyncio.sleep(0.01)
    assert not task.done()
    await gate.resume(by="watchdog")
    await task
