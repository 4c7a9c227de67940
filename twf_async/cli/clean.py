"""`twf-async clean`: delete at once what is kept for nothing."""

import json
from pathlib import Path
from typing import Any

import click

from twf_async.app.cleaning import clean_alone
from twf_async.cli.asking import ask_or
from twf_async.cli.options import config_option, json_option, state_option
from twf_async.cli.quiet import prepare_quietly

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
    swept = ask_or(
        lambda: clean_alone(prepare_quietly(config_dir), dry_run=dry_run),
        "clean",
        {"dry_run": dry_run},
        config_dir=config_dir,
        state_dir=state_dir,
        timeout_s=TIMEOUT_S,
    )
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
