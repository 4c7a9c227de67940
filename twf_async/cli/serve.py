"""`twf-async serve`: the daemon."""

import faulthandler
import os

import click
import structlog

from twf_async import __version__
from twf_async.app.notify import Notifier
from twf_async.cli.options import config_option, prepare
from twf_async.farm.boot import boot
from twf_async.settings.load import Settings, load


@click.command("serve", short_help="The daemon: follow every enabled model, serve its maps.")
@config_option
def command(config_dir: str | None) -> int:
    """Follow every enabled model and serve its maps, until SIGTERM."""
    settings = prepare(config_dir)
    log = structlog.get_logger(component="app")
    log.info("app.starting", version=__version__, pid=os.getpid(), config=str(settings.config_dir))
    from twf_async.app.daemon import Daemon  # most of what takes time, after the first line

    faulthandler.enable()  # systemd's watchdog ends what hangs by SIGABRT
    notifier = Notifier.from_environment()  # before any child exists

    def read() -> Settings:
        return load(settings.config_dir)

    try:
        context = boot()
    except KeyboardInterrupt:
        log.info("app.stopped")
        return 0
    return Daemon(read, settings, context, notifier).run()
