"""How far a run is and what became of it, for whoever waits at a terminal or reads JSON."""

import json
import sys
from dataclasses import asdict

import click

from twf_async.cli import missing
from twf_async.pipeline.report import RunCount, RunReport


class Bar:
    """A bar on the terminal's last line."""

    def __call__(self, count: RunCount) -> None:
        """Redraw it."""
        width = 30
        filled = width * count.settled // max(1, count.expected)
        bar = "#" * filled + "." * (width - filled)
        failed = f", {count.failed} failed" if count.failed else ""
        click.echo(
            f"\r[{bar}] {count.published}/{count.expected} frames{failed} ", nl=False, err=True
        )


def bar() -> Bar | None:
    """A bar where somebody looks at it; it is gone before a command says how it ended."""
    if not sys.stderr.isatty():
        return None
    click.get_current_context().call_on_close(_clear)
    return Bar()


def _clear() -> None:
    """Take a bar away, so that what is said next stands in its place."""
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)


def tell(report: RunReport, *, as_json: bool) -> None:
    """The end of a run: on stdout what it brought, on stderr what is missing."""
    _clear()
    if as_json:
        click.echo(json.dumps(asdict(report), indent=2, default=str))
        return
    click.echo(
        f"{report.model} {report.cycle}: {report.published} of {report.expected} frames published"
        f" ({report.drawn} drawn now, {report.not_applicable} not applicable)"
        f" in {report.took_s:.1f} s"
    )
    for line in missing.told(report.missing):
        click.echo(line, err=True)
