"""`twf-async unpin`: let a run go when its time comes."""

from pathlib import Path

import click

from twf_async.app.pinning import pin_alone
from twf_async.cli.asking import ask_or
from twf_async.cli.cycles import cycle_argument, model_argument
from twf_async.cli.options import config_option, state_option
from twf_async.cli.quiet import prepare_quietly


@click.command("unpin", short_help="Let a pinned run go when its time comes.")
@model_argument
@cycle_argument
@config_option
@state_option
def command(model: str, cycle: str, config_dir: str | None, state_dir: Path | None) -> None:
    """Let a pinned run go when its time comes.

    A running service is asked to; without one it is done at the published tree.
    """
    ask_or(
        lambda: pin_alone(prepare_quietly(config_dir), model, cycle, None),
        "unpin",
        {"model": model, "cycle": cycle},
        config_dir=config_dir,
        state_dir=state_dir,
    )
    click.echo(f"{model} {cycle} goes when its time comes")
