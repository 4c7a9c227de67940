"""`twf-async serve`: the daemon."""

import click

from twf_async.app.daemon import Daemon
from twf_async.app.notify import Notifier
from twf_async.cli.options import config_option, prepare
from twf_async.farm.boot import boot
from twf_async.settings.load import Settings, load


@click.command("serve", short_help="The daemon: follow every enabled model, serve its maps.")
@config_option
def command(config_dir: str | None) -> int:
    """Follow every enabled model and serve its maps, until SIGTERM."""
    settings = prepare(config_dir)
    notifier = Notifier.from_environment()  # before any child exists

    def read() -> Settings:
        return load(settings.config_dir)

    return Daemon(read, settings, boot(), notifier).run()
