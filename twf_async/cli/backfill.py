"""`twf-async backfill`: have the running service fetch and draw an older run."""

from pathlib import Path

import click

from twf_async.app.control.client import ask
from twf_async.cli.cycles import cycle_argument, model_argument
from twf_async.cli.options import config_option, service_state, state_option


@click.command("backfill", short_help="Have the service fetch and draw an older run.")
@model_argument
@cycle_argument
@config_option
@state_option
def command(model: str, cycle: str, config_dir: str | None, state_dir: Path | None) -> None:
    """Have the running service fetch and draw an older run beside those that it follows.

    Hours that the source no longer has fail. Neither a restart nor a reload ends it. Once it is
    there, a run that is older than `keep_runs` goes as soon as the next one comes: pin it.
    """
    answer = ask(service_state(config_dir, state_dir), "backfill", {"model": model, "cycle": cycle})
    advice = (
        ""
        if answer["pinned"]
        else "; it goes once it is older than the runs that are kept; to keep it:"
        f" twf-async pin {model} {cycle} REASON"
    )
    click.echo(f"{model} {cycle} is being fetched and drawn{advice}")
