"""Puts files into a cache, in a test or in a process that is going to be killed.

python keeping.py DIRECTORY    keeps files until it is killed; one line of output a file
"""

import asyncio
import os
import sys
from hashlib import sha256
from pathlib import Path

from tests.fetch.fakes.messages import CYCLE, PRMSL, T2M, T850, message
from twf_async.fetch.cache import Cache
from twf_async.fetch.record import Record

MODEL, HOUR = "gfs", 6


async def put(cache, *keys, box=None, question=None, hour=HOUR, payload=b""):
    content = b"".join(message(key, payload=payload) for key in keys)
    path = cache.target(MODEL, CYCLE, hour, question or f"{keys} {box}")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    record = Record(
        path=str(path),
        model=MODEL,
        cycle=CYCLE,
        hour=hour,
        source="nomads",
        origin="gfs.f006",
        method="FILTERED" if box else "RANGES",
        box=box,
        keys=keys,
        bytes=len(content),
        sha256=sha256(content).hexdigest(),
        last_modified=None,
    )
    await cache.keep(part, record)
    return path


async def keep_on(root):
    cache = Cache(root)
    while True:
        for keys in ((T2M,), (T850, PRMSL), (T2M, PRMSL)):
            await put(cache, *keys)
            print("kept", flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(keep_on(Path(sys.argv[1])))
