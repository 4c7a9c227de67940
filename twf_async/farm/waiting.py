"""Waiting with a limit that a service which is stopped (SIGSTOP, a frozen group) does not use up.

A timer that ran out meanwhile goes off before the answer is seen that came meanwhile, or could have
come: the worker may have been stopped with us. So time is counted in steps that were waited for.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

STEP_S = 2.0


async def step(futures: "Iterable[asyncio.Future[Any]]", left_s: float) -> float:
    """Wait for any of *futures*, for a step at most; what is left then of *left_s*."""
    step_s = min(STEP_S, left_s)
    await asyncio.wait(set(futures), timeout=step_s, return_when=asyncio.FIRST_COMPLETED)
    return left_s - step_s
