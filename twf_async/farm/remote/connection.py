"""The link to a dask scheduler: the one place that knows dask, loaded when it is first used.

dask's client lives on a loop of its own in a thread of its own; nothing of it touches the
service's loop. Every call that may block runs in a thread and is bounded.
"""

import asyncio
import logging
import threading
import warnings
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from twf_async.errors import BadConfiguration

if TYPE_CHECKING:
    from distributed import Client
    from tornado.ioloop import IOLoop

CONNECT_S = 3.0
ANSWER_S = 10.0
RESTART_S = 30.0
END_S = 5.0
NANNY_LINES = 200
LARGEST_WARNED = "100 GB"  # of a task; ours are bounded by farm.ship_limit_mb


def require_dask() -> None:
    """BadConfiguration where dask.distributed is not installed."""
    if find_spec("distributed") is None:
        raise BadConfiguration(
            "service.toml: farm.backend is 'dask', but dask.distributed is not installed;"
            " install it with: pip install 'twf-async[dask]'"
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """A worker as the scheduler knows it.

    memory_mb  its resident set
    nanny      the address of who starts and ends it; "" where nobody does
    """

    address: str
    memory_mb: float
    nanny: str = ""


class Unreachable(Exception):
    """The scheduler does not answer; the text says how."""


class Loop:
    """A thread that runs dask's loop. Started once, stopped once."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._asyncio_loop: asyncio.AbstractEventLoop | None = None

    async def connect(self, address: str) -> "Connection":
        """A link to the scheduler; Unreachable."""
        opening = asyncio.create_task(asyncio.to_thread(self._connect, address), name="dask-join")
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            with suppress(Unreachable):  # a thread cannot be cancelled: at most CONNECT_S
                await (await opening).close()
            raise

    async def stop(self) -> None:
        """End the thread; links must have been closed."""
        loop, thread = self._asyncio_loop, self._thread
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            await asyncio.to_thread(thread.join, ANSWER_S)
            self._thread = self._asyncio_loop = None

    def _connect(self, address: str) -> "Connection":
        from distributed import Client

        _keep_quiet()
        try:
            client = Client(  # type: ignore[no-untyped-call]
                address,
                loop=self._running(),
                timeout=CONNECT_S,
                set_as_default=False,
                name="twf-async",
            )
        except (OSError, ValueError, ImportError, RuntimeError, TypeError) as error:
            # RuntimeError and TypeError: TLS is asked for, and nothing is set up for it.
            raise Unreachable(_sentence(error)) from error
        return Connection(client)

    def _running(self) -> "IOLoop":
        from tornado.ioloop import IOLoop

        if self._asyncio_loop is None:
            loop = self._asyncio_loop = asyncio.SelectorEventLoop()
            loop.set_exception_handler(_pass_over)
            self._thread = threading.Thread(target=_run, args=(loop,), name="dask", daemon=True)
            self._thread.start()
        made = asyncio.run_coroutine_threadsafe(_current_ioloop(), self._asyncio_loop)
        found: IOLoop = made.result(ANSWER_S)
        assert isinstance(found, IOLoop)
        return found


class Connection:
    """One client of a scheduler, for as long as it answers."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._stream = client.scheduler_comm

    @property
    def lives(self) -> bool:
        """Whether the link has not been lost. Once lost it is of no more use.

        The client mends it by itself with another stream; but of what was in flight it cancels
        some, and who waits for what was being gathered is never told.
        """
        client = self._client
        return bool(client.status == "running" and client.scheduler_comm is self._stream)

    async def workers(self) -> Mapping[str, Seen]:
        """Address -> worker, as of now; Unreachable."""
        return await asyncio.to_thread(self._workers)

    def executor(self, address: str) -> Executor:
        """Runs calls in one worker, and nowhere else."""
        made: Executor = self._client.get_executor(  # type: ignore[no-untyped-call]
            workers=[address], allow_other_workers=False, pure=False, retries=0
        )
        return made

    async def restart(self, address: str) -> bool:
        """End a worker's process in whatever it is doing, for its nanny to start another.

        returns  whether it could be done; a worker without a nanny has nobody who could
        """
        try:
            await asyncio.to_thread(self._client.restart_workers, [address], timeout=RESTART_S)
        except Exception:  # noqa: BLE001 - whatever it is, the worker is as it was
            return False
        return True

    async def nanny_lines(self, nanny: str) -> list[str]:
        """What a nanny wrote lately, newest first; Unreachable."""
        return await asyncio.to_thread(self._nanny_lines, nanny)

    async def close(self) -> None:
        """Give up everything in flight and end the link."""
        with suppress(Exception):  # of a lost link all that can be done is forgetting it
            await asyncio.to_thread(self._client.close, ANSWER_S)

    def _workers(self) -> dict[str, Seen]:
        client = self._client
        if not self.lives:
            raise Unreachable("the link was lost")
        try:
            # Not scheduler_info(): that hides an error and tells of a while ago.
            known: dict[str, Any] = client.sync(  # type: ignore[no-untyped-call]
                _identity, client, callback_timeout=ANSWER_S
            )
        except Exception as error:
            raise Unreachable(_sentence(error)) from error
        return {
            address: Seen(
                address,
                worker.get("metrics", {}).get("memory", 0) / (1 << 20),
                worker.get("nanny") or "",
            )
            for address, worker in known["workers"].items()
            if worker.get("status") in {"running", "paused"}
        }

    def _nanny_lines(self, nanny: str) -> list[str]:
        client = self._client
        try:
            logs: dict[str, Any] = client.sync(  # type: ignore[no-untyped-call]
                _logs, client, nanny, callback_timeout=END_S
            )
            return [text for _, text in logs[nanny]]
        except Exception as error:
            raise Unreachable(_sentence(error)) from error


def _keep_quiet() -> None:
    """What matters of dask's troubles is told in lines of ours."""
    import dask

    dask.config.set({"distributed.admin.large-graph-warning-threshold": LARGEST_WARNED})
    warnings.filterwarnings("ignore", module=r"distributed\..*|distributed")
    for name in ("distributed", "tornado"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [logging.NullHandler()]
        logger.propagate = False


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()  # threads may wait for them
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=END_S))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def _pass_over(_loop: asyncio.AbstractEventLoop, _context: dict[str, Any]) -> None:
    """What dask's own tasks leave behind when a link breaks; who waits is told otherwise."""


async def _current_ioloop() -> "IOLoop":
    from tornado.ioloop import IOLoop

    return IOLoop.current()


async def _identity(client: "Client") -> Any:  # noqa: ANN401 - what dask makes of its scheduler
    return await client.scheduler.identity(n_workers=-1)  # type: ignore[union-attr]


async def _logs(client: "Client", nanny: str) -> Any:  # noqa: ANN401 - as above
    return await client.scheduler.worker_logs(  # type: ignore[union-attr]
        n=NANNY_LINES, workers=[nanny], nanny=False
    )


def _sentence(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__
