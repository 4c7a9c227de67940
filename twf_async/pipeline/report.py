"""What a run was asked for and what became of it."""

from dataclasses import dataclass

from twf_async.publish.manifest import RunState, hour_name


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run. hours, regions and products narrow what the configuration says; None: all of it.

    wait    wait for hours that are not there yet; else they fail with "not published"
    """

    model: str
    cycle: str
    hours: tuple[int, ...] | None = None
    regions: tuple[str, ...] | None = None
    products: tuple[str, ...] | None = None
    wait: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether everything that the configuration says is asked for."""
        return (self.hours, self.regions, self.products) == (None, None, None)


@dataclass(frozen=True, slots=True)
class MissingFrame:
    """A frame that should be there and is not."""

    region: str
    product: str
    hour: int
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        why = f"{self.reason} ({self.detail})" if self.detail else self.reason
        return f"{self.region}/{self.product}/{hour_name(self.hour)}: {why}"


@dataclass(frozen=True, slots=True)
class RunCount:
    """How far a run is, in frames. published includes those that an earlier start published."""

    expected: int
    published: int
    failed: int
    not_applicable: int

    @property
    def settled(self) -> int:
        """Frames that are published or failed."""
        return self.published + self.failed


@dataclass(frozen=True, slots=True)
class RunReport:
    """The end of a run. published, expected: frames; drawn: those published by this start."""

    model: str
    cycle: str
    state: RunState
    expected: int
    published: int
    drawn: int
    not_applicable: int
    missing: tuple[MissingFrame, ...]
    took_s: float
