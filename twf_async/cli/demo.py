"""`twf-async demo`: a loopback NOMADS with synthetic weather and the whole service over it."""

import os
import shutil
import sysconfig
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from render_farm.logs import lines
from render_farm.worker.scratch import scratch
from twf_async import stops
from twf_async.app.daemon import Daemon
from twf_async.app.demo_files import NOTICE
from twf_async.app.loopback import loopback_nomads
from twf_async.app.notify import Notifier
from twf_async.cli.options import config_option
from twf_async.errors import BadConfiguration
from twf_async.farm.boot import boot
from twf_async.settings.files import find_config_dir
from twf_async.settings.load import Settings, load

SPEED = 30  # the replica's hours appear this much faster than NOMADS' would
DIRECTORIES = ("TWF_STATE_DIR", "TWF_CACHE_DIR", "TWF_PUBLISH_DIR")
GFS_FIRST = timedelta(hours=3, minutes=25)


@click.command("demo", short_help="The whole service with synthetic weather.")
@config_option
def command(config_dir: str | None) -> int:
    """Show the whole service with synthetic weather; prints the viewer's address."""
    with suppress(KeyboardInterrupt):  # before there was anything to drain
        stops.interrupt()
        return _demo(_config_dir(config_dir))
    return 0


def _demo(directory: Path) -> int:
    with (
        scratch(prefix="twf-demo-") as state,
        stops.at_last(lambda: shutil.rmtree(state, ignore_errors=True)),
        _replica(state) as upstream,
    ):
        models = load(directory, os.environ).catalog.models
        environ = _environment(state, upstream, models)
        _tell_what_is_kept(os.environ)

        def read() -> Settings:
            return load(directory, environ)

        settings = read()
        logs, asked_at = settings.service.logs, settings.service.state_dir

        def announce(url: str) -> None:
            click.echo(
                f"\n  The viewer: {url}\n  First maps come in within a minute. Ctrl-C ends it, once"
                " what is being drawn is finished; again, at once."
                f"\n  How it gets on: twf-async status --state {asked_at}\n"
            )

        lines.configure(logs.level, console=lines.console_wanted(logs.format))
        daemon = Daemon(read, settings, boot(), Notifier(None), announce=announce)
        return daemon.run()


def _tell_what_is_kept(own: Mapping[str, str]) -> None:
    """Say so where synthetic maps come among those of a service, and stay there."""
    for name in DIRECTORIES:
        if name in own:
            click.echo(f"{name} is set: what the demo makes stays in {own[name]}", err=True)


def _config_dir(given: str | None) -> Path:
    """As every command, else the configuration that came with the package: installed, or beside it.

    raises  BadConfiguration
    """
    try:
        return find_config_dir(given, os.environ)
    except BadConfiguration:
        if given or os.environ.get("TWF_CONFIG"):
            raise  # what was named is not replaced
        data, checkout = Path(sysconfig.get_path("data")), Path(__file__).parents[2]
        for place in (data / "share" / "twf-async" / "config", checkout / "config"):
            with suppress(BadConfiguration):
                return find_config_dir(str(place), os.environ)
        raise


def _environment(state: Path, upstream: str, models: Iterable[str]) -> dict[str, str]:
    """What the demo sets; what the operator set himself is kept."""
    ours = {
        "TWF_STATE_DIR": str(state / "state"),
        "TWF_CACHE_DIR": str(state / "cache"),
        "TWF_PUBLISH_DIR": str(state / "publish"),
        "TWF_NOTICE": NOTICE,
        "TWF_UPSTREAM__REQUESTS_PER_MIN": "6000",  # loopback: there is nobody to be polite to
        "TWF_LOGS__LEVEL": "warning",
        "TWF_CLOCK__UPSTREAM_SPEED": str(SPEED),
    }
    for model in models:
        ours[f"TWF_MODELS__{model.upper()}__POLL_S"] = "2"
        # The replica's run comes in now, however long ago its cycle was.
        ours[f"TWF_MODELS__{model.upper()}__GIVES_UP_MIN"] = "10000"
        # Its hours follow each other far faster than those of NOMADS.
        ours[f"TWF_MODELS__{model.upper()}__CADENCE"] = "[]"
    return {**ours, **os.environ, "TWF_UPSTREAM__NOMADS_URL": upstream}


def _replica(state: Path) -> AbstractContextManager[str]:
    """A replica of its own for the demo; its first hour is just coming out."""
    now = datetime.now(UTC)
    cycle = (now - GFS_FIRST).replace(minute=0, second=0, microsecond=0)
    cycle = cycle.replace(hour=cycle.hour // 6 * 6)
    start = cycle + GFS_FIRST
    return loopback_nomads(
        *("--demo", "--start", f"{start:%Y-%m-%dT%H:%M:%S}", "--speed", str(SPEED)),
        *("--cache-dir", str(state / "replica")),
    )
