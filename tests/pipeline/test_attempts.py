"""What is under way at a source when others fail beside it."""

import asyncio

from twf_async.errors import FetchError
from twf_async.pipeline import attempts
from twf_async.pipeline.attempts import Attempts


async def test_while_bytes_come_in_an_earlier_failure_of_another_ends_nothing(monkeypatch):
    monkeypatch.setattr(attempts, "LOOK_S", 0.01)
    monkeypatch.setattr(attempts, "QUIET_S", 0.02)  # so it is quiet between two pieces
    patience_s = 1.0
    beside = Attempts(patience_s)
    async with asyncio.timeout(60), beside.one() as failed:
        assert failed.may_ask_again(FetchError("503"), 0.5)
        began = beside.now()
        async with beside.one() as slow:
            slow.asked()
            while beside.now() < began + 1.3 * patience_s:
                await asyncio.sleep(0.05)
                slow.heard()
            slow.over()

    assert beside.given_up is None
