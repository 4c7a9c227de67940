"""When to look for something that is expected. Pure; chance is handed in, 0 to 1.

Before its time nothing is asked. Looks are tight while it may come any moment, and then the rarer
the later it is: what is an hour late already may well take another.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from twf_async.plan.arrivals import Window

TIGHT_S = 2.0
RAREST = 4.0  # times the usual pause, for what is very late
LATE_SHARE = 1 / 5  # of the time it is late: the pause before the next look
SPREAD = 0.15  # of a pause, either way: clients must not march in step
AFTER_S = 0.5  # the likeliest moment: times of files are whole seconds, and a miss costs a request
LOOKS_FOR_A_RUN = 24.0  # within the window of a run's first hours, which may be minutes wide
EARLY_LOOKS_FOR_A_RUN = 48.0  # the same where looks may cost more
MOST_LOOKS_FOR_A_RUN = 80.0  # in windows so wide that pauses would be longer than ...
RUN_LOOK_S = 12.0  # ... this
UNLIKELY = 2.0  # times the usual pause, before the window of a run
RUN_LATE_SHARE = 1 / 10  # LATE_SHARE of a run: everything that it brings is late by the pause
SURER = 0.6  # of the way to the end of the window: first look when misses have to be saved ...
SUREST = 1.0  # ... or more were spent than can be made good
LOOKS_FOR_AN_HOUR = 3.0  # within that of an hour whose forerunner is known
EARLY_LOOKS = 7.0  # the same where looks begin early


@dataclass(frozen=True, slots=True)
class Pace:
    """How often may be looked.

    usual_s    the pause where nothing is known of when it comes
    early      look more often, from the beginning of the window on: to see at once what is early
    saving     more was asked than can be made good: look for an hour when it is nearly sure
    whole_run  a run begins with it, so nobody knows to the second: worth looking from the beginning
               of its window on, and now and then before it
    """

    usual_s: float = 30.0
    whole_run: bool = False
    early: bool = False
    saving: bool = False

    @property
    def tight_s(self) -> float:
        """No pause is shorter."""
        return min(TIGHT_S, self.usual_s)

    @property
    def rarest_s(self) -> float:
        """No pause is longer, but for the spread."""
        return RAREST * self.usual_s


def first_look(window: Window, *, pace: Pace, eager: bool, chance: float) -> datetime:
    """When to look first: when it is likeliest, or, to miss less often, when it is nearly sure."""
    start = window.likely + timedelta(seconds=min(AFTER_S, pace.tight_s))
    if pace.whole_run:
        start = min(window.earliest or window.low, window.low)
    elif pace.early and eager:
        start = window.low
    elif not eager:
        start += (SUREST if pace.saving else SURER) * (window.high - window.likely)
    return start + timedelta(seconds=chance * SPREAD * pace.tight_s)


def look_again(window: Window | None, now: datetime, *, pace: Pace, chance: float) -> datetime:
    """When to look again for what is not there at *now*."""
    spread = 1.0 + SPREAD * (2.0 * chance - 1.0)
    pause_s = _pause_s(window, now, pace) * spread
    if window is not None and pace.whole_run and now < window.low:
        pause_s = min(pause_s, _seconds(now, window.low) + chance * SPREAD * pace.tight_s)
    return now + timedelta(seconds=max(pause_s, pace.tight_s))


def _pause_s(window: Window | None, now: datetime, pace: Pace) -> float:
    if window is None:
        return pace.usual_s
    if pace.whole_run:
        return _pause_for_a_run_s(window, now, pace)
    looks = EARLY_LOOKS if pace.early else LOOKS_FOR_AN_HOUR
    within_s = min(max(_seconds(window.low, window.high) / looks, pace.tight_s), pace.usual_s)
    late_s = _seconds(window.likely, now)
    return min(max(within_s, late_s * LATE_SHARE), pace.rarest_s)


def _pause_for_a_run_s(window: Window, now: datetime, pace: Pace) -> float:
    if now < window.low:
        return UNLIKELY * pace.usual_s
    width_s, late_s = _seconds(window.low, window.high), _seconds(window.high, now)
    often_s = width_s / (EARLY_LOOKS_FOR_A_RUN if pace.early else LOOKS_FOR_A_RUN)
    # Of a window that nothing was learned of, minutes are lost anyway: those looks cost too much.
    longest_s = pace.usual_s if window.earliest is None else RUN_LOOK_S
    within_s = max(min(often_s, longest_s), width_s / MOST_LOOKS_FOR_A_RUN, pace.tight_s)
    return min(max(min(within_s, pace.usual_s), late_s * RUN_LATE_SHARE), pace.rarest_s)


def _seconds(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(seconds=1)
