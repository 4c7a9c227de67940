"""Calls that may block for ever: each in a daemon thread of its own, so no exit waits for one."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def in_thread(name: str, call: Callable[..., T], *arguments: object) -> "Future[T]":
    """Begin a call, which cannot be cancelled; RuntimeError where no thread can be started."""
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result = call(*arguments)
        except BaseException as error:  # noqa: BLE001 - handed on, to whoever waits
            done.set_exception(error)
        else:
            done.set_result(result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return done
