"""Where a run is, shared by those who work on it."""

from dataclasses import dataclass

from twf_async.plan.progress import RunProgress


@dataclass(slots=True)
class Course:
    """The one thing of a run that changes; each change is a new frozen progress."""

    progress: RunProgress
