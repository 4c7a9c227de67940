"""`twf-async reload`: have the running service read its configuration again."""

from pathlib import Path

import click

from twf_async.app.control.client import ask
from twf_async.cli.options import config_option, service_state, state_option

TIMEOUT_S = 300.0  # changed scales ask a worker for their colours, after the job it has


@click.command("reload", short_help="Have the service read its configuration; 78 if it refuses.")
@config_option
@state_option
def command(config_dir: str | None, state_dir: Path | None) -> None:
    """Have the running service read its configuration again, and wait until it is in force.

    With a fault in it the old one stays: the fault is told, exit 78.
    """
    answer = ask(service_state(config_dir, state_dir), "reload", {}, timeout_s=TIMEOUT_S)
    waiting = answer["restart_needed"]
    click.echo(f"reloaded; with the next start: {', '.join(waiting)}" if waiting else "reloaded")
