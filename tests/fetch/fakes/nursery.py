"""Processes that fetch or keep files until they are killed, forked from one that has imported all.

python -m tests.fetch.fakes.nursery    reads orders from stdin, one JSON object a line, and forks a
                                       child for each; parent and children answer with JSON lines

An order: {"work": "fetch" | "keep" | "trace", "cache": DIR, "url": URL, "step": N}. With a step the
child kills itself just before its N-th operation on the cache (`count_operations`); without one it
fetches until it is killed.
"""

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime
from functools import cache
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


def fetcher_for(root, url):
    return Fetcher(
        UpstreamSettings(nomads_url=url, aws_url="", read_timeout_s=5),
        FetchSettings(),
        cache_dir=root,
        clock=Clock(datetime(2026, 1, 29, 19, tzinfo=UTC)),
        patience=Patience(attempts=6, scale=0.0005),
        requests_per_min=1e6,
    )


@cache
def wishes():
    """What is fetched; read once, before any child is forked."""
    models = load(REPOSITORY / "config", {}).catalog.models
    return tuple(
        HourWanted(
            models[model],
            cycle,
            hour,
            frozenset(
                MessageKey(*field.split(":"), hour, hour, Statistic.INSTANT) for field in fields
            ),
            box,
        )
        for model, cycle, hour, box, fields in WORK
    )


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
    fetcher, wanted = fetcher_for(root, order["url"]), wishes()
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
    kept = Cache(root)
    await kept.start()
    await put(kept, T2M, question="the same")
    count_operations(root, int(order["step"]))
    await put(kept, T850, PRMSL, question="the same")
    say(whole=True)


async def trace_one(order, say):
    """Keep a file in the place of another, and tell each operation by the names it is about."""
    root = Path(order["cache"])
    kept = Cache(root)
    await put(kept, T2M, question="the same")
    operations = []
    before_operations(root, lambda event, *names: operations.append([event, *names]))
    await put(kept, T850, PRMSL, question="the same")
    say(operations=operations)


def count_operations(root, step):
    """Die just before the *step*-th operation."""
    left = step

    def one(*_):
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    before_operations(root, one)


def before_operations(root, tell):
    """Have *tell* called before anything below *root* is opened, made, renamed or removed, or is
    written through to the disk: tell(event, name ..), names relative to *root*.
    """

    def named(path):
        return os.path.relpath(os.fspath(path), root)

    def hook(event, arguments):
        if event in {"open", "os.rename", "os.remove", "os.mkdir", "os.truncate"}:
            names = [n for n in arguments[:2] if str(n).startswith(str(root))]
            if names:
                tell(event.removeprefix("os."), *map(named, names))

    def fsync(descriptor, really=os.fsync):
        tell("fsync", named(Path(f"/proc/self/fd/{descriptor}").readlink()))
        really(descriptor)

    sys.addaudithook(hook)
    os.fsync = fsync


WORKS = {"fetch": fetch_on, "keep": keep_on, "trace": trace_one}


def say_line(**words):
    os.write(1, json.dumps(words).encode() + b"\n")


def main():
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are gone at once
    wishes()
    for line in sys.stdin:
        order = json.loads(line)
        wait, told = os.pipe()
        child = os.fork()
        if child:
            say_line(child=child)
            os.close(wait)
            os.close(told)
            continue
        os.close(told)
        os.read(wait, 1)  # who asked hears of the child before anything that it says itself
        try:
            work = WORKS[order["work"]]
            asyncio.run(work(order, say_line))
        finally:
            os._exit(0)


if __name__ == "__main__":
    main()
