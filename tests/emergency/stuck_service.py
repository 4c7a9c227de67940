"""`serve` with a fault of ours in it: pollers never come back while a file is there.

Put before the command: python stuck_service.py FILE python -m twf_async serve ..
"""

import asyncio
import sys
from pathlib import Path


def main() -> None:
    from twf_async.cli.main import main as serve
    from twf_async.pipeline.poller import LOOK_S, ModelPoller

    there, rest = Path(sys.argv[1]).exists, ModelPoller._rest

    async def never(poller: ModelPoller) -> None:
        if there():
            poller.pulse.within(0.0)
            while there():
                await asyncio.sleep(0.02)
            poller.pulse.within(LOOK_S)
        await rest(poller)

    ModelPoller._rest = never
    sys.argv = ["twf-async", *sys.argv[sys.argv.index("serve") :]]
    serve()


if __name__ == "__main__":
    main()
