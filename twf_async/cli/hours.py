"""The option `--hours`: forecast hours by number, and what a model has between two of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import click

from render_farm.domain.models import Model, expand_hours
from twf_async.errors import BadInput
from twf_async.plan.runs import hours_of_cycle


@dataclass(frozen=True, slots=True)
class HoursAsked:
    """Hours as they were asked for.

    named    each by its number, or by a step: all must be there
    between  of spans without a step: those that the model has
    """

    named: frozenset[int] = frozenset()
    between: frozenset[int] = frozenset()

    def of(self, model: Model, cycle: str) -> tuple[int, ...]:
        """The hours, rising. cycle: "latest" where it is not known yet.

        raises  BadInput where nothing is left of the spans
        """
        within = self.between.intersection(_own(model, cycle))
        if not (self.named or within):
            raise BadInput(
                f"{model.key} has no hour from {min(self.between)} to {max(self.between)}"
            )
        return tuple(sorted(self.named | within))


def _own(model: Model, cycle: str) -> Iterable[int]:
    if cycle.isdecimal():
        return hours_of_cycle(model, cycle)
    return {*model.hours, *model.long_hours}


def _parse(_: click.Context, __: click.Parameter, value: str | None) -> HoursAsked | None:
    """`0-24,30`."""
    if value is None:
        return None
    named: set[int] = set()
    between: set[int] = set()
    for part in value.split(","):
        try:
            hours = expand_hours(part)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
        if isinstance(hours, tuple):
            (between if "-" in part and "/" not in part else named).update(hours)
    return HoursAsked(frozenset(named), frozenset(between))


hours_option = click.option(
    "--hours",
    callback=_parse,
    metavar="0-24,30",
    help="Forecast hours; of a span those that the model has [default: all].",
)
