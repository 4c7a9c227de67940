"""`twf-async backfill`: have the running service fetch and draw an older run."""

from pathlib import Path

import click

from twf_async.app.control.client import ask
from twf_async.cli.options import config_option, service_state, state_option


@click.command("backfill", short_help="Have the service fetch and draw an older run.")
@click.argument("model")
@click.argument("cycle", metavar="YYYYMMDDHH")
@config_option
@state_option
def command(model: str, cycle: str, config_dir: str | None, state_dir: Path | None) -> None:
    """Have the running service fetch and draw an older run beside those that it follows.

    Hours that the source no longer has fail. A restart ends it: ask again, what is there is neither
    fetched nor drawn twice. Pin the run if it is to stay.
    """
    answer = ask(service_state(config_dir, state_dir), "backfill", {"model": model, "cycle": cycle})
    advice = "" if answer["pinned"] else f"; to keep it: twf-async pin {model} {cycle} REASON"
    click.echo(f"{model} {cycle} is being fetched and drawn{advice}")
