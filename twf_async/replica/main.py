"""Run the loopback NOMADS: as a program, or inside a test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from aiohttp import web

from twf_async.clock import Clock
from twf_async.errors import BadInput
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.hits import HitLog
from twf_async.replica.release_tree import ReleaseTree
from twf_async.replica.server import ServerOptions, create_app
from twf_async.replica.tree import FileTree

_log = structlog.get_logger(component="replica")
_DRAIN_S = 2.0


@asynccontextmanager
async def running_replica(
    tree: FileTree,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    hits: HitLog | None = None,
    options: ServerOptions | None = None,
) -> AsyncIterator[str]:
    """Serve *tree* while the block runs; yields the base URL ("http://127.0.0.1:43121").

    port 0 takes a free one. Hand in *hits* to read the hit log without HTTP. OSError where the port
    is taken.
    """
    app = create_app(tree, hits or HitLog(Clock()), options or ServerOptions())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_DRAIN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        chosen = runner.addresses[0][1]
        url = f"http://{f'[{host}]' if ':' in host else host}:{chosen}"
        _log.info("replica.started", url=url)
        yield url
    finally:
        await runner.cleanup()
        _log.info("replica.stopped")


async def serve_replica(
    root: Path | None,
    *,
    demo: bool = False,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Clock | None = None,
    release: bool = False,
    cache_dir: Path | None = None,
    hits_file: Path | None = None,
    options: ServerOptions | None = None,
    ready: Callable[[str], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve *root*, or the synthetic atmosphere, until *stop* is set or the task is cancelled.

    demo       serve the synthetic atmosphere; *root* must be None. Its hours always appear by the
               release clock
    clock      the time the replica lives in; default now, at the speed of time
    release    let the files of *root* appear, grow and age out as on NOMADS by *clock*; else all
               of them are there
    cache_dir  where --demo keeps the files it has made; default ./var/cache/replica
    hits_file  append every request as one JSON line
    ready      called once with the base URL

    raises  BadInput for a root that is no directory, or neither or both of root and demo
    """
    lived = clock or Clock()
    tree = _tree(root, lived, cache_dir, demo=demo)
    if release or demo:
        tree = ReleaseTree(tree, lived)
    hits = HitLog(lived, hits_file)
    async with running_replica(tree, host=host, port=port, hits=hits, options=options) as url:
        if ready is not None:
            ready(url)
        await (stop or asyncio.Event()).wait()


def _tree(root: Path | None, clock: Clock, cache_dir: Path | None, *, demo: bool) -> FileTree:
    if demo == (root is not None):
        raise BadInput("the replica serves either --root DIR or --demo")
    if root is not None:
        try:
            return DirectoryTree(root)
        except FileNotFoundError as error:
            raise BadInput(str(error)) from error
    from twf_async.replica.atmosphere.synthetic_tree import SyntheticTree

    return SyntheticTree(clock, cache_dir or Path("var/cache/replica"))
