"""Whether the service gets on, and what systemd's watchdog is told of it.

A loop that lives is not enough: a part that never comes back hides behind it. Each part says by
when it will be seen again (`Pulse`); one that is later than that by far is stuck, and nothing more
is told to systemd, which then starts us afresh. But not where a start would not help: while one of
our own threads hangs on a disk, what waits for it is late, and would be afterwards.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from math import inf
from pathlib import Path

import structlog

from twf_async.app.notify import Notifier
from twf_async.farm.farm import Farm
from twf_async.farm.remote.farm import RemoteFarm
from twf_async.pipeline.gate import DispatchGate
from twf_async.pulse import Pulse

LOOK_S = 5.0  # between two looks at the parts, where systemd does not want to hear more often
STOPPED_S = 30.0  # looks that lie further apart: this process was stopped, or the loop held
OWN_TASKS = Path("/proc/self/task")


class FarmPulse:
    """The farm's: no call outlasts its time limit, and nothing waits beside idle workers alone."""

    def __init__(self, farm: Farm, job_timeout_s: Callable[[], float]) -> None:
        self._farm, self._job_timeout_s = farm, job_timeout_s
        self._calls, self._queue = Pulse("farm"), Pulse("farm queue", may_wait=True)

    def felt(self) -> tuple[Pulse, ...]:
        """Looked at now. A cluster's jobs wait for it, which no start here would change."""
        farm = self._farm
        if isinstance(farm, RemoteFarm):
            return ()
        busy_s = max((slot["busy_s"] or 0.0 for slot in farm.status()), default=0.0)
        self._calls.within(self._job_timeout_s() - busy_s)
        moves = not farm.waiting or farm.busy or not farm.idle or farm.held_for_memory
        if moves:
            self._queue.within(0.0)
        return self._calls, self._queue


class Heart:
    """Looks at the parts, tells who is late, and feeds systemd's watchdog while none is stuck."""

    def __init__(
        self,
        pulses: Callable[[], Iterable[Pulse]],
        gate: DispatchGate,
        notifier: Notifier,
        *,
        stuck_after_s: Callable[[], float],
        every_s: float | None,
        dump: Callable[[], None],
        tasks: Path = OWN_TASKS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """*every_s*: how often systemd wants to hear of us, None where it does not.

        stuck_after_s  how much later than it said a part must be
        dump           logs what every task is doing
        """
        self._pulses, self._gate, self._notifier = pulses, gate, notifier
        self._stuck_after_s, self._dump, self._tasks = stuck_after_s, dump, tasks
        self._every_s = LOOK_S if every_s is None else min(every_s, LOOK_S)
        self._monotonic, self._open_since_s = monotonic, monotonic()
        self._looked_at_s, self._awake_since_s = monotonic(), -inf
        self._hanging: dict[str, str] = {}
        self.late: dict[str, float] = {}  # part -> seconds, of those that are stuck
        self.waits_for_disk = False
        self._log = structlog.get_logger(component="app")

    @property
    def stuck(self) -> list[str]:
        """Parts that do not get on and would after a start."""
        return [] if self.waits_for_disk else sorted(self.late)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.beat()
            await asyncio.sleep(self._every_s)

    def beat(self) -> None:
        """See who is late, tell what has changed, and feed the watchdog unless a part is stuck."""
        self._look()
        if not self.stuck:
            self._notifier.alive()

    def _look(self) -> None:
        before_s, self._looked_at_s = self._looked_at_s, self._monotonic()
        if self._looked_at_s - before_s > STOPPED_S + self._every_s:
            self._awake_since_s = self._looked_at_s
        if not self._gate.fetch_is_open:
            self._open_since_s = self._monotonic()
        before, self.late = self.late, self._late()
        self.waits_for_disk = self._hangs() and bool(self.late)
        fresh = sorted(self.late.keys() - before.keys())
        for part in fresh:
            why = "a disk does not answer; a start would not help" if self.waits_for_disk else ""
            self._log.error(
                "app.part_stuck", part=part, late_s=_tenths(self.late[part]), reason=why
            )
        if fresh:
            self._dump()
        for part in before.keys() - self.late.keys():
            self._log.info("app.part_back", part=part, late_s=_tenths(before[part]))

    def _late(self) -> dict[str, float]:
        found: dict[str, float] = {}
        limit_s = self._stuck_after_s()
        # Who was stopped along with us has had no chance to be in time.
        just_awake = self._looked_at_s - self._awake_since_s < limit_s
        for pulse in self._pulses():
            if pulse.may_wait and not self._gate.fetch_is_open:
                continue
            late_s = pulse.late_s(self._open_since_s if pulse.may_wait else 0.0)
            if late_s > limit_s and (pulse.part in self.late or not just_awake):
                found[pulse.part] = late_s
        return found

    def _hangs(self) -> bool:
        """Whether a thread of ours is in uninterruptible sleep, and was it at the last look."""
        before, self._hanging = self._hanging, hanging(self._tasks)
        return any(before.get(thread) == switches for thread, switches in self._hanging.items())


def _tenths(seconds: float) -> float:
    return round(seconds, 1)


def hanging(tasks: Path) -> dict[str, str]:
    """Threads in uninterruptible sleep -> how often each has slept so far; {} where none can tell.

    tasks  /proc/PID/task
    """
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):  # where there is no such directory
        for thread in tasks.iterdir():
            with contextlib.suppress(OSError):  # it has just ended
                text = (thread / "status").read_text("ascii", errors="replace")
                status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
                if status.get("State", "").startswith("D"):
                    found[thread.name] = status.get("voluntary_ctxt_switches", "")
    return found
