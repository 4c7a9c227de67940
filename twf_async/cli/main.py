"""The command line's front door: finds the command, turns errors into one sentence and a code.

Imports nothing heavy: this module is part of `__main__`, which every worker loads again. Each
command lives in a module of its own and is loaded when it is asked for.
"""

import importlib
import os
import signal
import sys
import traceback
from typing import NoReturn

import click

from twf_async import __version__
from twf_async.errors import TwfError

COMMANDS = {
    "serve": "twf_async.cli.serve",
    "run": "twf_async.cli.run",
    "render": "twf_async.cli.render",
    "replica": "twf_async.cli.replica",
    "demo": "twf_async.cli.demo",
    "check-config": "twf_async.cli.check_config",
    "status": "twf_async.cli.status",
    "reload": "twf_async.cli.reload",
    "pause": "twf_async.cli.pause",
    "resume": "twf_async.cli.resume",
    "backfill": "twf_async.cli.backfill",
    "pin": "twf_async.cli.pin",
    "unpin": "twf_async.cli.unpin",
    "clean": "twf_async.cli.clean",
    "bench": "twf_async.cli.bench",
    "gallery": "twf_async.cli.gallery",
}
FORCED_STOP = 130
LAST_WAIT_S = 1.0  # for a worker that is on its way out


class _LazyGroup(click.Group):
    """Loads a command's module only when that command, or the help, is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = importlib.import_module(module).command
        return command if isinstance(command, click.Command) else None


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="twf-async")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def cli(*, debug: bool) -> None:
    """Forecast maps from NOMADS: fetch, render, publish, serve."""
    del debug  # read by main() from the context, after an error


def main() -> None:
    """Run the command line and exit with its code (design: 0, 1, 2, 3, 78, 130)."""
    # Until a handler is there, a reload signal would kill the service.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(FORCED_STOP)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(FORCED_STOP)
    except TwfError as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        what = f"{error.filename}: " if error.filename else ""
        click.echo(f"{what}{error.strerror or error}", err=True)
        sys.exit(1)
    _leave(code if isinstance(code, int) else 0)


def _leave(code: int) -> NoReturn:
    """Exit; without Python's own clean-up where that would wait for a worker that cannot be ended.

    A process that waits for a disk does not heed SIGKILL before the disk answers, and Python joins
    every child at its end. Workers die with us once they can.
    """
    if "multiprocessing" in sys.modules:
        import multiprocessing

        for child in multiprocessing.active_children():
            child.join(LAST_WAIT_S)
        if stuck := [child.pid for child in multiprocessing.active_children()]:
            import structlog

            structlog.get_logger(component="app").warning("app.workers_left", pids=stuck)
            sys.stdout.flush()
            os._exit(code)
    sys.exit(code)
