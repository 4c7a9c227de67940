"""The loopback NOMADS from the command line: its options."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from render_farm.logs import lines
from twf_async import stops
from twf_async.cli import faults
from twf_async.clock import Clock
from twf_async.errors import TwfError
from twf_async.replica.faults.script import read_script_file
from twf_async.replica.file_answers import StaticOptions
from twf_async.replica.filter import FilterOptions
from twf_async.replica.limit import Burst, Limit, Refusal
from twf_async.replica.main import serve_replica
from twf_async.replica.mirror import MirrorOptions
from twf_async.replica.server import ServerOptions

_EXISTING = click.Path(exists=True, file_okay=False, path_type=Path)
_SCRIPT = click.Path(exists=True, dir_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_DIRECTORY = click.Path(file_okay=False, path_type=Path)
_MOMENT = click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y%m%d%H"])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--root", type=_EXISTING, help="Directory laid out as NOMADS is.")
@click.option("--demo", is_flag=True, help="Serve the synthetic atmosphere instead.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="0, the default, takes a free one."
)
@click.option("--release", is_flag=True, help="Hours appear one by one by the release clock.")
@click.option("--start", type=_MOMENT, help="Time the release clock starts at, UTC; default now.")
@click.option("--speed", default=1.0, show_default=True, help="How fast the release clock runs.")
@click.option("--limit", type=int, help="Hits per minute and client before the 302; default none.")
@click.option("--block", default=60.0, show_default=True, help="Seconds that a block lasts.")
@click.option("--block-extends", is_flag=True, help="Asking during a block starts it anew.")
@click.option(
    "--refusal",
    type=click.Choice([refusal.value for refusal in Refusal]),
    default=Refusal.REDIRECT.value,
    show_default=True,
    help="How the blocked are answered.",
)
@click.option("--burst", type=int, help="Cookie-less requests a second before a bare 302.")
@click.option("--latency", default=0.0, show_default=True, help="Seconds the filter takes.")
@click.option("--no-ranges", is_flag=True, help="Ignore the Range header: 200, the whole file.")
@click.option("--no-multi-range", is_flag=True, help="Ignore several ranges in one, as S3 does.")
@click.option("--sparse", type=_EXISTING, help="Serve files of true layout for these .idx files.")
@click.option("--script", type=_SCRIPT, help="What goes wrong: TOML or JSON; see docs/replica.md.")
@click.option("--mirror-port", type=click.IntRange(0, 65535), help="Serve the AWS mirror as well.")
@click.option("--mirror-lag", default=0.0, show_default=True, help="Seconds it is behind.")
@click.option("--hits", type=_FILE, help="Append every request to this file as a JSON line.")
@click.option("--log-level", type=click.Choice(list(lines.LEVELS)), envvar="TWF_LOGS__LEVEL")
@click.option("--cache-dir", type=_DIRECTORY, help="Where --demo keeps the files it has made.")
def main(
    *,
    root: Path | None,
    demo: bool,
    host: str,
    port: int,
    release: bool,
    start: datetime | None,
    speed: float,
    limit: int | None,
    block: float,
    block_extends: bool,
    refusal: str,
    burst: int | None,
    latency: float,
    no_ranges: bool,
    no_multi_range: bool,
    sparse: Path | None,
    script: Path | None,
    mirror_port: int | None,
    mirror_lag: float,
    hits: Path | None,
    cache_dir: Path | None,
    log_level: str | None,
) -> None:
    """Serve a loopback NOMADS until SIGINT or SIGTERM; prints its base URL, then the mirror's."""
    lines.configure(log_level or "info", console=sys.stderr.isatty())
    if hits is not None:
        hits.open("ab").close()  # one that cannot be written is said now, not at the first request
    options = ServerOptions(
        static=StaticOptions(ranges=not no_ranges, multi_range=not no_multi_range),
        filter=FilterOptions(latency_s=latency),
        limit=None if limit is None else Limit(limit, block, block_extends, Refusal(refusal)),
        burst=None if burst is None else Burst(burst),
    )
    clock = Clock(start=start.replace(tzinfo=UTC) if start else None, speed=speed)

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        with stops.heeded(lambda _: loop.call_soon_threadsafe(stop.set)):
            await serve_replica(
                root,
                demo=demo,
                host=host,
                port=port,
                clock=clock,
                release=release,
                cache_dir=cache_dir,
                hits_file=hits,
                options=options,
                sparse=sparse,
                script=None if script is None else read_script_file(script),
                mirror=None if mirror_port is None else MirrorOptions(mirror_lag),
                mirror_port=mirror_port or 0,
                ready=click.echo,
                stop=stop,
            )

    asyncio.run(serve())


def run() -> int:
    """Serve until told to stop; the exit code. What cannot be is one sentence, as of a command."""
    try:
        main(prog_name="twf-async replica", standalone_mode=False)
    except (click.ClickException, TwfError, OSError) as error:
        return faults.tell(error)
    return 0
