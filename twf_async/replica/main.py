"""Run the loopback NOMADS: as a program, or inside a test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from twf_async.clock import Clock
from twf_async.errors import BadInput
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.faults.script import Script
from twf_async.replica.hits import HitLog
from twf_async.replica.mirror import MirrorOptions
from twf_async.replica.release import PLANS, kept
from twf_async.replica.release_tree import ReleaseTree
from twf_async.replica.running import Place, running
from twf_async.replica.server import ServerOptions
from twf_async.replica.tree import FileTree


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
    is taken. `running.running` has the faults and the mirror as well.
    """
    place = Place(host, port)
    async with running(tree, log=hits, options=options, place=place) as replica:
        yield replica.url


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
    sparse: Path | None = None,
    script: Script | None = None,
    mirror: MirrorOptions | None = None,
    mirror_port: int = 0,
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
    sparse     directory of real .idx files: serve files of their layout, with the messages that
               *root* or the synthetic atmosphere has, either of which may be left out
    script     what goes wrong
    mirror     serve the same files as an S3 bucket does, on mirror_port; None: no mirror
    ready      called once with the base URL, then with the mirror's

    raises  BadInput for a root that is no directory, or neither or both of root and demo
    """
    lived = clock or Clock()
    tree = _tree(root, lived, cache_dir, demo=demo, sparse=sparse)
    copied = tree
    if release or demo:
        tree, copied = ReleaseTree(tree, lived), ReleaseTree(tree, lived, kept(PLANS))
    async with running(
        tree,
        script=script,
        log=HitLog(lived, hits_file),
        mirror=mirror,
        mirror_tree=copied,
        options=options,
        place=Place(host, port, mirror_port),
    ) as replica:
        for url in (replica.url, replica.mirror_url):
            if ready is not None and url:
                ready(url)
        await (stop or asyncio.Event()).wait()


def _tree(
    root: Path | None, clock: Clock, cache_dir: Path | None, *, demo: bool, sparse: Path | None
) -> FileTree:
    if (demo and root is not None) or not (demo or root or sparse):
        raise BadInput("the replica serves either --root DIR or --demo")
    trees: list[FileTree] = []
    try:
        if root is not None:
            trees.append(DirectoryTree(root))
        if demo:
            from twf_async.replica.atmosphere.synthetic_tree import SyntheticTree

            trees.append(SyntheticTree(clock, cache_dir or Path("var/cache/replica")))
        if sparse is not None:
            from twf_async.replica.sparse import SparseTree

            return SparseTree(sparse, trees)
    except FileNotFoundError as error:
        raise BadInput(str(error)) from error
    return trees[0]
