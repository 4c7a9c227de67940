"""The whole daemon, but with the patience that a fast clock needs: `python service.py CONFIG`.

Back-offs are real seconds; at a hundred times the speed a pause of a minute is nearly two hours.
"""

import os
import sys
from pathlib import Path

from render_farm.logs import lines
from twf_async.app.daemon import Daemon
from twf_async.app.notify import Notifier
from twf_async.farm.boot import boot
from twf_async.fetch.patience import Patience
from twf_async.settings.load import load


def main(config: Path) -> int:
    settings = load(config, os.environ)
    service = settings.service
    lines.configure(service.logs.level, console=False)
    patience = Patience(attempts=service.fetch.attempts, scale=1.0 / service.clock.speed)
    return Daemon(
        lambda: load(config, os.environ), settings, boot(), Notifier(None), patience=patience
    ).run()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
