"""What can befall a worker or the farm; a worker has one job in flight, so it is known whose."""

import signal

from twf_async.errors import FarmError


class WorkerDied(FarmError):
    """The process ended while it worked on a job."""

    def __init__(self, exit_code: int | None) -> None:
        """*exit_code*: of the worker, negative for a signal; None if it could not be had."""
        self.exit_code_of_worker = exit_code
        how = "unknown" if exit_code is None else told_ending(exit_code)
        super().__init__(f"the worker died ({how})")


class WorkerNotStarted(WorkerDied):
    """None could be made: no descriptors, processes or threads are left, or no forkserver is."""

    def __init__(self, error: BaseException) -> None:
        self.exit_code_of_worker = None
        FarmError.__init__(self, f"no worker could be started ({type(error).__name__}: {error})")


class JobHandedBack(FarmError):
    """The farm took the job back to spare memory: it is done later."""

    def __init__(self) -> None:
        super().__init__("the farm took the job back to spare memory")


class JobTimedOut(FarmError):
    """The job took longer than allowed; its worker was killed."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"the job took longer than {after_s:g} s; its worker was killed")


class FarmClosed(FarmError):
    """The farm is stopping and takes no more jobs."""


class FarmBroken(FarmError):
    """Workers die one after the other over different jobs: the installation is at fault."""


def told_ending(exit_code: int) -> str:
    """An exit code in words, negative for a signal."""
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return f"signal {-exit_code}, {signal.Signals(-exit_code).name}"
    except ValueError:  # a real-time signal
        return f"signal {-exit_code}"
