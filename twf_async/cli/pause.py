"""`twf-async pause`: have the running service start nothing new."""

from pathlib import Path

import click

from twf_async.app.control.client import ask
from twf_async.cli.options import config_option, service_state, state_option


@click.command("pause", short_help="Have the service start no new download or map.")
@click.argument("reason", nargs=-1, metavar="[REASON]")
@config_option
@state_option
def command(reason: tuple[str, ...], config_dir: str | None, state_dir: Path | None) -> None:
    """Have the running service start no new download and no new map.

    What is under way is finished, what is online stays. Lasts until `twf-async resume`, or the next
    start; the watchdog does not end it.
    """
    answer = ask(service_state(config_dir, state_dir), "pause", {"reason": " ".join(reason)})
    running = answer["gate"]["running"]
    hours = f"{running} hour{'s' if running > 1 else ''} handed to the workers and "
    begun = f"{hours if running else ''}downloads that have begun"
    click.echo(f"paused; {begun} are still finished; `twf-async resume` or a restart goes on")
