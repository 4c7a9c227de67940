"""`twf-async status`: how the running service is."""

import json
from pathlib import Path

import click

from twf_async.app.control.client import ask
from twf_async.cli.options import config_option, json_option, service_state, state_option
from twf_async.cli.status_table import table


@click.command("status", short_help="How the running service is: runs, sources, traffic, holds.")
@config_option
@state_option
@json_option
def command(config_dir: str | None, state_dir: Path | None, *, as_json: bool) -> None:
    """Ask the running service how it is; exit 1 where none runs."""
    document = ask(service_state(config_dir, state_dir), "status")
    click.echo(json.dumps(document, indent=2) if as_json else table(document))
