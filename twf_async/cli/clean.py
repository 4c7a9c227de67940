"""`twf-async clean`: delete at once what is kept for nothing."""

import json
from pathlib import Path
from typing import Any

import click

from twf_async.app.cleaning import clean_alone
from twf_async.app.control.client import ask
from twf_async.app.control.place import NoControl
from twf_async.cli.options import (
    config_option,
    json_option,
    prepare,
    service_state,
    state_option,
)

TIMEOUT_S = 300.0
KB = 1000.0


@click.command("clean", short_help="Delete runs, downloads and leftovers that need not be kept.")
@config_option
@state_option
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@json_option
def command(config_dir: str | None, state_dir: Path | None, *, dry_run: bool, as_json: bool) -> int:
    """Delete runs beyond the number to keep, old downloads, leftovers of dead processes.

    Pinned runs and those being worked on stay. A running service is asked to do it.
    """
    state, body = service_state(config_dir, state_dir), {"dry_run": dry_run}
    try:
        swept = ask(state, "clean", body, timeout_s=TIMEOUT_S)
    except NoControl:
        if state_dir is not None:
            raise
        swept = clean_alone(prepare(config_dir), dry_run=dry_run)
    click.echo(json.dumps(swept, indent=2) if as_json else _told(swept))
    return 0


def _told(swept: dict[str, Any]) -> str:
    rows = [(f"run {run['model']} {run['cycle']}", run["bytes"]) for run in swept["runs"]]
    for key, what in (
        ("downloads", "old download{}"),
        ("leftovers", "leftover{} of dead processes"),
    ):
        if count := swept[key]["files"]:
            plural = "" if count == 1 else "s"
            rows.append((f"{count} {what.format(plural)}", swept[key]["bytes"]))
    verb = "would be freed" if swept["dry_run"] else "freed"
    lines = [f"{_size(size):>10}  {what}" for what, size in rows]
    return "\n".join([*lines, f"{_size(swept['bytes']):>10}  {verb}"])


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < KB or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= KB
    return ""
