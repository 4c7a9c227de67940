"""Processes that fetch or keep files until they are killed, forked from one that has imported all.

python -m tests.fetch.fakes.nursery    reads orders from stdin, one JSON object a line, and forks a
                                       child for each; parent and children answer with JSON lines

An order: {"work": "fetch" | "keep", "cache": DIR, "url": URL, "step": N}. With a step the child
kills itself just before its N-th operation on the cache (see `count_operations`); without one it
goes on until it is killed.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import structlog

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.places import Box
from tests.fetch.fakes.keeping import put
from tests.fetch.fakes.messages import PRMSL, T2M, T850
from twf_async.clock import Clock
from twf_async.errors import FetchError
from twf_async.fetch.cache import Cache
from twf_async.fetch.fetched import HourWanted
from twf_async.fetch.fetcher import Fetcher
from twf_async.fetch.patience import Patience
from twf_async.settings.load import load
from twf_async.settings.service import FetchSettings, UpstreamSettings

REPOSITORY = Path(__file__).resolve().parents[3]
PNW = Box(west=-126.0, east=-109.0, south=41.25, north=49.5)
CONUS = Box(west=-125, east=-66, south=24, north=50)
WORK = (  # model, cycle, hour, box, fields: answers of the filter and a file of byte ranges
    ("gfs", "2026012912", 6, PNW, ("TMP:2 m above ground", "TMP:850 mb", "PRMSL:mean sea level")),
    ("hrrr", "2026012917", 6, CONUS, ("REFC:entire atmosphere", "CSNOW:surface", "CRAIN:surface")),
)  # fmt: skip


def fetcher_for(cache: Path, url: str) -> Fetcher:
    return Fetcher(
        UpstreamSettings(nomads_url=url, aws_url="", read_timeout_s=5),
        FetchSettings(),
        cache_dir=cache,
        clock=Clock(datetime(2026, 1, 29, 19, tzinfo=UTC)),
        patience=Patience(attempts=6, scale=0.0005),
        requests_per_min=1e6,
    )


def wishes():
    models = load(REPOSITORY / "config", {}).catalog.models
    for model, cycle, hour, box, fields in WORK:
        keys = frozenset(
            MessageKey(*field.split(":"), hour, hour, Statistic.INSTANT) for field in fields
        )
        yield HourWanted(models[model], cycle, hour, keys, box)


def served(record):
    """What a record promises and what its file is."""
    content = Path(record.path).read_bytes()
    return [
        record.model, record.hour, sorted(map(str, record.keys)), sha256(content).hexdigest(),
    ]  # fmt: skip


def names_below(root):
    return sorted(path.name for path in root.rglob("*") if path.is_file())


async def fetch_on(order, say):
    """Tell what the cache serves, then throw it away and fetch it anew, for ever."""
    root = Path(order["cache"])
    fetcher, wanted = fetcher_for(root, order["url"]), list(wishes())
    await fetcher.start()
    found = []
    for wish in wanted:
        where = wish.model.key, wish.cycle, wish.hour
        records, _ = await Cache(root).find(*where, wish.keys, wish.box)
        found += [served(record) for record in records]
    say(served=found, files=names_below(root))
    if order.get("step"):
        count_operations(root, int(order["step"]))
    while True:
        for wish in wanted:
            await fetcher.hour(wish)
        say(whole=True)
        if order.get("step"):
            return
        for wish in wanted:
            try:
                await fetcher.forget(wish.model, wish.cycle, wish.hour)
                await fetcher.hour(wish)
            except FetchError as error:
                say(failed=str(error))


async def keep_on(order, say):
    """Keep another file in the place of one that is there."""
    root = Path(order["cache"])
    cache = Cache(root)
    await cache.start()
    await put(cache, T2M, question="the same")
    count_operations(root, int(order["step"]))
    await put(cache, T850, PRMSL, question="the same")
    say(whole=True)


def count_operations(root: Path, step: int) -> None:
    """Die just before the *step*-th time that something below *root* is opened, made, renamed or
    removed, or anything is written through to the disk.
    """
    left = step

    def one() -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in {"open", "os.rename", "os.remove", "os.mkdir", "os.truncate"} and str(
            arguments[0]
        ).startswith(str(root)):
            one()

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def counting(*arguments: object) -> object:
            one()
            return call(*arguments)

        return counting

    sys.addaudithook(hook)
    os.fsync = counted(os.fsync)


def say_line(**words: object) -> None:
    os.write(1, json.dumps(words).encode() + b"\n")


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are gone at once
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child:
            say_line(child=child)
            continue
        try:
            work = {"fetch": fetch_on, "keep": keep_on}[order["work"]]
            asyncio.run(work(order, say_line))
        finally:
            os._exit(0)


if __name__ == "__main__":
    main()
