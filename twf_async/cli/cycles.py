"""A run by its model and cycle: the arguments, and whether there can be such a run."""

import click

from twf_async.clock import Clock
from twf_async.errors import BadInput
from twf_async.plan.runs import cycle_time


def _parse(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        cycle_time(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no cycle; write its date and hour in UTC, as 2026012912"
        ) from None
    return value


def _one_word(_: click.Context, __: click.Parameter, value: str) -> str:
    model, slash, cycle = value.partition("/")  # as paths and addresses have them
    if slash:
        raise click.BadParameter(
            f"{value!r} is not a model; write it and its cycle as two words: {model} {cycle}"
        )
    return value


model_argument = click.argument("model", callback=_one_word)
cycle_argument = click.argument("cycle", metavar="YYYYMMDDHH", callback=_parse)


def require_begun(cycle: str, clock: Clock) -> None:
    """BadInput for a cycle of the future: its empty run would be the newest until then."""
    now = clock.now()
    if cycle_time(cycle) > now:
        raise BadInput(
            f"cycle {cycle} has not begun, for it is {now:%Y-%m-%d %H:%M} UTC; name an earlier one,"
            " or 'latest'"
        )
