"""Starts the forkserver, before the event loop exists.

The first submit() to a forkserver that still has to import everything blocks the loop for a
second; after `boot()` a worker is ready in hundredths of one.
"""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import BaseContext, ForkServerContext
from typing import TypeVar

from render_farm.worker import entry

T = TypeVar("T")


def boot() -> ForkServerContext:
    """Start the forkserver with everything a worker needs already imported; call it once.

    Must run before any event loop and while `NOTIFY_SOCKET` is out of the environment: workers
    inherit the environment of this moment for good.
    """
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # a renderer is one core; BLAS threads only fork badly
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([entry.PRELOADED])
    ask_once(context, int)
    return context


def ask_once(context: BaseContext, function: Callable[[], T]) -> T:
    """Call a function of the worker in a process made for it; blocks, so not on a loop."""
    with ProcessPoolExecutor(1, context, entry.die_with_parent) as probe:
        return probe.submit(function).result()
