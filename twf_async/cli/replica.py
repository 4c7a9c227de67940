"""`twf-async replica`: the loopback NOMADS, a program of its own.

Run in a child process of another module, because it loads array libraries that nothing else of
the service may load.
"""

import os
import sys
from pathlib import Path

import click

from twf_async import stops
from twf_async.errors import BadInput


@click.command(
    "replica",
    short_help="A loopback NOMADS: of any directory laid out like it, or --demo.",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> int:
    """Serve a loopback NOMADS: --root DIR, --demo or --sparse DIR; --port N. See replica --help."""
    program = Path(sys.executable)
    if not program.exists():
        raise BadInput(f"the Python that runs this ({program}) is gone; install again")
    stops.keep_back()  # what comes from here on is the other program's
    if stops.asked() is None:
        os.execv(program, [str(program), "-m", "twf_async.replica", *arguments])  # noqa: S606
    return 0
