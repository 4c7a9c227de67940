import asyncio

from twf_async.pipeline.gate import DispatchGate


async def test_a_favour_lets_exactly_one_render_through_a_shut_gate():
    gate = DispatchGate()
    await gate.pause("memory low")
    passed = []

    async def work(name):
        async with gate.passage():
            passed.append(name)

    tasks = [asyncio.create_task(work(name)) for name in "ab"]
    await asyncio.sleep(0.01)
    assert passed == []
    await gate.let_one_through()
    await asyncio.sleep(0.01)
    assert len(passed) == 1
    await gate.resume()
    await asyncio.wait(tasks)
    assert sorted(passed) == ["a", "b"]
    assert gate.running == 0


async def test_downloads_wait_for_both_doors():
    gate = DispatchGate()
    await gate.pause("memory low")
    await gate.hold_fetches("disk nearly full")
    task = asyncio.create_task(gate.wait_fetch())
    await gate.resume()
    await asyncio.sleep(0.01)
    assert not task.done()
    await gate.release_fetches()
    await task
    assert gate.status() == {
        "open": True,
        "reason": "",
        "fetch_open": True,
        "fetch_reason": "",
        "running": 0,
    }
