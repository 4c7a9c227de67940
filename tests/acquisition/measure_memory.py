"""What fetching 85 hours adds to the memory of a process: served here, fetched in another one."""

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path

from tests.acquisition.measure_fetching import CYCLE
from tests.acquisition.redated import RedatedTree
from twf_async.replica.faults.edits import padded
from twf_async.replica.running import running

EXTRA_BYTES = 2_000_000  # so much longer is every message: the size of real ones


class LargeTree(RedatedTree):
    """Hours as large as the fields that the service takes of one: ten megabytes."""

    def _build(self, model: str, part: str, cycle: datetime, hour: int) -> tuple[bytes, str]:
        body, text = super()._build(model, part, cycle, hour)
        starts = [int(line.split(":")[1]) for line in text.splitlines()]
        messages = [body[a:b] for a, b in zip(starts, [*starts[1:], len(body)], strict=True)]
        longer = [padded(message, EXTRA_BYTES) for message in messages]
        at, lines = 0, []
        for line, message in zip(text.splitlines(), longer, strict=True):
            number, _, rest = line.split(":", 2)
            lines.append(f"{number}:{at}:{rest}\n")
            at += len(message)
        return b"".join(longer), "".join(lines)


async def megabytes(test_data: Path, cache_dir: Path, config_dir: Path) -> dict[str, float]:
    """Serve the hours here, have another process fetch them; what its memory was."""
    async with running(LargeTree(test_data, {"gfs": [CYCLE]})) as replica:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.acquisition.measure_fetching",
            replica.url,
            str(cache_dir),
            str(config_dir),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await child.communicate()
        if child.returncode:
            raise RuntimeError(f"the fetching process ended with {child.returncode}")
    found: dict[str, float] = json.loads(out.splitlines()[-1])
    return found
