"""Finds the command, and turns how it ended into one sentence and a code.

Each command lives in a module of its own and is loaded when it is asked for.
"""

import difflib
import importlib
import sys
import traceback

import click
import structlog

from twf_async import __version__, stops
from twf_async.cli import faults
from twf_async.errors import FINDING, TwfError

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
DRAWING = frozenset({"serve", "demo", "render", "gallery"})  # surely; `run` may hand its work over
ALSO_CALLED = {"start": "serve", "help": "--help", "version": "--version"}  # by other programs
HELP = ["-h", "--help"]
FORESEEN = (click.ClickException, TwfError, OSError)
UNTIL_STOPPED = frozenset({"serve", "replica", "demo"})  # heed a stop themselves: it ends them well


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

    @staticmethod
    def _require(name: str, ctx: click.Context) -> None:
        """UsageError for what is no command, with the one that may have been meant."""
        if name in COMMANDS or name.startswith("-"):
            return
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        meant = ALSO_CALLED.get(name) or next(iter(close), "")
        hint = f" (did you mean {meant!r}?)" if meant else ""
        raise click.UsageError(f"there is no command {name!r}{hint}", ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Load the command, while the forkserver loads what draws; from then on a stop ends it."""
        self._require(args[0], ctx)
        if args[0] in DRAWING and not set(HELP).intersection(args):
            from twf_async.farm.boot import begin

            begin()
        found = super().resolve_command(ctx, args)
        if found[0] not in UNTIL_STOPPED:
            stops.interrupt()
        return found


@click.group(cls=_LazyGroup, context_settings={"help_option_names": HELP})
@click.version_option(__version__, prog_name="twf-async")
@click.option("--debug", is_flag=True, help="Show tracebacks, and what a command logs.")
def cli(*, debug: bool) -> None:
    """Forecast maps from NOMADS: fetch, render, publish, serve."""
    del debug  # read by run() from the command line, after an error


def run() -> int:
    """Run the command line; the exit code (design: 0, 1, 2, 3, 78, 130).

    raises  KeyboardInterrupt where a stop came at the very end
    """
    try:
        code = cli.main(prog_name="twf-async", standalone_mode=False)
    except click.exceptions.Abort:
        return stops.FORCED
    except SystemExit as end:  # click's, where nobody reads the output any more
        return end.code if isinstance(end.code, int) else FINDING
    except Exception as error:  # whatever was not foreseen, in one sentence as well
        if "--debug" in sys.argv and not isinstance(error, click.ClickException):
            traceback.print_exc()
        elif structlog.is_configured() and not isinstance(error, FORESEEN):
            log = structlog.get_logger(component="app")  # the service's log has to have it whole
            log.exception("app.crashed", exc_info=error)
        return faults.tell(error)
    return code if isinstance(code, int) else 0
