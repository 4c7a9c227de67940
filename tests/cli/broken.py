"""A command with a fault in it."""

import click


@click.command("broken")
def command():
    """Break."""
    raise LookupError("no such thing")
