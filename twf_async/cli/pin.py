"""`twf-async pin`: keep a run whatever its age."""

from pathlib import Path

import click

from twf_async.app.control.client import ask
from twf_async.app.control.place import NoControl
from twf_async.app.pinning import pin_alone
from twf_async.cli.options import config_option, prepare, service_state, state_option


@click.command("pin", short_help="Keep a run online whatever its age.")
@click.argument("model")
@click.argument("cycle", metavar="YYYYMMDDHH")
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
    try:
        ask(service_state(config_dir, state_dir), "pin", body)
    except NoControl:
        if state_dir is not None:
            raise
        pin_alone(prepare(config_dir).service, model, cycle, body["reason"])
    click.echo(f"{model} {cycle} stays until `twf-async unpin {model} {cycle}`")
