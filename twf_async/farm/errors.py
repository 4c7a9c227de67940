"""What can befall a worker or the farm; a worker has one job in flight, so it is known whose."""

import signal

from twf_async.errors import FarmError


class WorkerDied(FarmError):
    """The process ended while it worked on a job."""

    def __init__(self, exit_code: int | None) -> None:
        """*exit_code*: of the worker, negative for a signal; None if it could not be had."""
        self.exit_code_of_worker = exit_code
        how = "unknown" if exit_code is None else _how(exit_code)
        super().__init__(f"the worker died ({how})")


class JobTimedOut(FarmError):
    """The job took longer than allowed; its worker was killed."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"the job took longer than {after_s:g} s; its worker was killed")


class FarmClosed(FarmError):
    """The farm is stopping and takes no more jobs."""


class FarmBroken(FarmError):
    """Workers die one after the other over different jobs: the installation is at fault."""


def _how(exit_code: int) -> str:
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return f"signal {-exit_code}, {signal.Signals(-exit_code).name}"
    except ValueError:  # a real-time signal
        return f"signal {-exit_code}"
