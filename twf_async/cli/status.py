"""`twf-async status`: how the running service is."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from twf_async.app.control.client import ask
from twf_async.app.control.place import NoControl
from twf_async.cli.options import config_option, json_option, service_state, state_option
from twf_async.cli.status_table import table
from twf_async.errors import FINDING
from twf_async.ledger.glimpse import LastKnown, last_known, still_asked


@click.command("status", short_help="How the running service is: runs, sources, traffic, holds.")
@config_option
@state_option
@json_option
def command(config_dir: str | None, state_dir: Path | None, *, as_json: bool) -> int:
    """Ask the running service how it is.

    Exit 1 where none runs (then what its ledger last knew is told), and for what may need
    somebody: work or downloads are held, a reload was refused. A source that throttles us or cannot
    be reached is told, and passes by itself.
    """
    state = service_state(config_dir, state_dir)
    try:
        document = ask(state, "status")
    except NoControl as error:
        return _tell_last_known(state / "ledger.sqlite", error, as_json=as_json)
    click.echo(json.dumps(document, indent=2) if as_json else table(document))
    gate = document["gate"]
    return FINDING if gate["held_by"] or gate["fetch_held_by"] or document["reload_fault"] else 0


def _tell_last_known(ledger: Path, error: NoControl, *, as_json: bool) -> int:
    """Where no service answers: what it last knew, and why there is no more."""
    known, asked = last_known(ledger), still_asked(ledger)
    if as_json:
        document = {
            "error": str(error),
            "exit_code": error.exit_code,
            "last_known": [asdict(run) for run in known],
            "asked": [{"model": model, "cycle": cycle} for model, cycle in asked],
        }
        click.echo(json.dumps(document, indent=2, default=datetime.isoformat))
    else:
        for run in known:
            click.echo(_told(run))
        for model, cycle in asked:
            click.echo(f"asked for: {model} {cycle}; the next start goes on with it")
    click.echo(str(error), err=True)
    return error.exit_code


def _told(run: LastKnown) -> str:
    at = f", the last at {run.fetched_at:%Y-%m-%d %H:%M:%S} UTC" if run.fetched_at else ""
    return f"last known: {run.model} {run.cycle} {run.state}, {run.hours_fetched} hours fetched{at}"
