"""`twf-async pin`: keep a run whatever its age."""

from pathlib import Path

import click

from twf_async.app.pinning import pin_alone
from twf_async.cli.asking import ask_or
from twf_async.cli.cycles import cycle_argument, model_argument
from twf_async.cli.options import config_option, state_option
from twf_async.cli.quiet import prepare_quietly


@click.command("pin", short_help="Keep a run online whatever its age.")
@model_argument
@cycle_argument
@click.argument("reason", nargs=-1, required=True)
@config_option
@state_option
def command(
    model: str,
    cycle: str,
    reason: tuple[str, ...],
    config_dir: str | None,
    state_dir: Path | None,
) -> None:
    """Keep a run online whatever its age; the REASON is shown with it.

    A running service is asked to; without one it is done at the published tree.
    """
    body = {"model": model, "cycle": cycle, "reason": " ".join(reason)}
    ask_or(
        lambda: pin_alone(prepare_quietly(config_dir), model, cycle, body["reason"]),
        "pin",
        body,
        config_dir=config_dir,
        state_dir=state_dir,
    )
    click.echo(f"{model} {cycle} stays until `twf-async unpin {model} {cycle}`")
