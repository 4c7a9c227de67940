"""What of a job could not be drawn because values of its messages cannot be true. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from render_farm.domain.fields import MessageKey
from render_farm.domain.jobs import FrameFailure, HourRendered, MessageSource
from twf_async.pipeline.jobs import Files
from twf_async.plan.progress import Drawable

Origins = Mapping[MessageSource, int]  # the hour whose file it is


@dataclass(frozen=True, slots=True)
class Spoilt:
    """Frames of one hour that bad messages cost, and those messages.

    fields  hour of the file -> fields of it that cannot be trusted
    """

    hour: int
    failures: tuple[FrameFailure, ...]
    fields: Mapping[int, frozenset[MessageKey]]

    @property
    def products(self) -> frozenset[str]:
        """Keys of what could not be drawn."""
        return frozenset(failure.product for failure in self.failures)

    def hours_of(self, failure: FrameFailure) -> frozenset[int]:
        """The hours whose files hold what a frame failed for."""
        keys = {source.key for source in failure.bad}
        return frozenset(hour for hour, bad in self.fields.items() if not bad.isdisjoint(keys))

    def explained(self, causes: Mapping[int, str]) -> "Spoilt":
        """The same with the cause told where all that a frame lacked has one. causes: by hour."""
        failures = []
        for failure in self.failures:
            hours = sorted(self.hours_of(failure))
            known = bool(hours) and causes.keys() >= set(hours)
            failures.append(replace(failure, detail=causes[hours[0]]) if known else failure)
        return replace(self, failures=tuple(failures))


def origins_of(drawable: Drawable, files: Files) -> Origins:
    """Where the messages of a job come from, as things are now: files may be taken anew."""
    return {
        MessageSource(files[hour][key], key): hour
        for order in drawable.orders
        for hour, key in order.needs
    }


def apart(outcome: HourRendered, origins: Origins) -> tuple[HourRendered, Spoilt | None]:
    """What is settled of a job, and what might be better with other bytes."""
    spoilt = tuple(failure for failure in outcome.failures if failure.bad)
    if not spoilt:
        return outcome, None
    fields: dict[int, set[MessageKey]] = {}
    for source in {source for failure in spoilt for source in failure.bad}:
        fields.setdefault(origins[source], set()).add(source.key)
    settled = tuple(failure for failure in outcome.failures if not failure.bad)
    return replace(outcome, failures=settled), Spoilt(
        outcome.hour, spoilt, {hour: frozenset(fields[hour]) for hour in sorted(fields)}
    )
