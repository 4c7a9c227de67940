"""`twf-async resume`: end a pause."""

from pathlib import Path

import click

from twf_async.app.control.client import ask
from twf_async.cli.options import config_option, service_state, state_option


@click.command("resume", short_help="End a pause of `twf-async pause`.")
@config_option
@state_option
def command(config_dir: str | None, state_dir: Path | None) -> None:
    """End a pause of `twf-async pause`; a hold of the watchdog's stays."""
    answer = ask(service_state(config_dir, state_dir), "resume", {})
    said = "resumed" if answer["was_paused"] else "it was not paused"
    others = {**answer["gate"]["held_by"], **answer["gate"]["fetch_held_by"]}
    held = "".join(f"; {holder} still holds it: {why}" for holder, why in others.items())
    click.echo(f"{said}{held}")
