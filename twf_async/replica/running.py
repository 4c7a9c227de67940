"""A replica inside a program, a test above all: servers, script and hit log in one hand.

async with running(DirectoryTree(root), Fault("reset", on=("filter",), first=1)) as replica:
    ...  # ask replica.url
    replica.play(Fault("idx_empty", path="*f006*"), seed=7)
    assert busiest(replica.hits) <= 60
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
from aiohttp import web

from twf_async.clock import Clock
from twf_async.replica.faults.director import Director
from twf_async.replica.faults.script import Fault, Script
from twf_async.replica.faults.scripted_tree import ScriptedTree
from twf_async.replica.hits import Hit, HitLog, SaysNow
from twf_async.replica.limit import Burst, Limit
from twf_async.replica.mirror import MirrorOptions
from twf_async.replica.server import ServerOptions, create_app, create_mirror
from twf_async.replica.tree import FileTree

_log = structlog.get_logger(component="replica")
_DRAIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the servers listen; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 0
    mirror_port: int = 0


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica that runs.

    url         base of NOMADS ("http://127.0.0.1:43121")
    mirror_url  base of the mirror's bucket, "" for none
    """

    url: str
    mirror_url: str
    log: HitLog
    director: Director

    @property
    def hits(self) -> list[Hit]:
        """All requests so far, oldest first; those of the mirror too."""
        return list(self.log.hits)

    def play(
        self, *faults: Fault, seed: int = 0, limit: Limit | None = None, burst: Burst | None = None
    ) -> None:
        """Set another script, from its beginning. Without a fault all is well again."""
        self.director.play(Script(seed, faults, limit, burst))


@asynccontextmanager
async def running(
    tree: FileTree,
    *faults: Fault,
    seed: int = 0,
    script: Script | None = None,
    clock: SaysNow | None = None,
    log: HitLog | None = None,
    mirror: MirrorOptions | None = None,
    mirror_tree: FileTree | None = None,
    options: ServerOptions | None = None,
    place: Place | None = None,
) -> AsyncIterator[Replica]:
    """Serve *tree* while the block runs, and let *faults* (or *script*) befall who asks.

    clock   that faults and the hit log go by; default *log*'s, or real time
    mirror  None: no mirror
    mirror_tree  what the mirror copies, where it is not *tree*: it keeps what NOMADS has closed
    raises  OSError where a port is taken
    """
    hits = log or HitLog(clock or Clock())
    director = Director(clock or hits.clock, script or Script(seed, faults))
    shown, at = ScriptedTree(tree, director), place or Place()
    async with AsyncExitStack() as stack:
        app = create_app(shown, hits, options or ServerOptions(), director)
        url = await _start(stack, app, at.host, at.port)
        mirror_url = ""
        if mirror is not None:
            copied = ScriptedTree(mirror_tree or tree, director)
            bucket = create_mirror(copied, hits, mirror, director)
            mirror_url = await _start(stack, bucket, at.host, at.mirror_port)
        _log.info("replica.started", url=url, mirror_url=mirror_url or None)
        try:
            yield Replica(url, mirror_url, hits, director)
        finally:
            await stack.aclose()
            _log.info("replica.stopped")


async def _start(stack: AsyncExitStack, app: web.Application, host: str, port: int) -> str:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_DRAIN_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, host, port).start()
    return f"http://{f'[{host}]' if ':' in host else host}:{runner.addresses[0][1]}"
