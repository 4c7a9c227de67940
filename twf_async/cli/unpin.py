"""`twf-async unpin`: let a run go when its time comes."""

from pathlib import Path

import click

from twf_async.app.control.client import ask
from twf_async.app.control.place import NoControl
from twf_async.app.pinning import pin_alone
from twf_async.cli.options import config_option, prepare, service_state, state_option


@click.command("unpin", short_help="Let a pinned run go when its time comes.")
@click.argument("model")
@click.argument("cycle", metavar="YYYYMMDDHH")
@config_option
@state_option
def command(model: str, cycle: str, config_dir: str | None, state_dir: Path | None) -> None:
    """Let a pinned run go when its time comes.

    A running service is asked to; without one it is done at the published tree.
    """
    try:
        ask(service_state(config_dir, state_dir), "unpin", {"model": model, "cycle": cycle})
    except NoControl:
        if state_dir is not None:
            raise
        pin_alone(prepare(config_dir).service, model, cycle, None)
    click.echo(f"{model} {cycle} goes when its time comes")
