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
LOOKS_FOR_A_RUN = 12.0  # within the window of a run's first hour, which may be minutes wide
SURER = 0.6  # of the way to the end of the window: first look when misses have to be saved
LOOKS_FOR_AN_HOUR = 3.0  # within that of an hour whose forerunner is known
EARLY_LOOKS = 6.0  # the same where looks begin early
EARLY_LOOKS_FOR_A_RUN = 30.0  # its first hour is one of few
EARLIER = 0.8  # of the way from the likeliest moment back to the beginning of the window


@dataclass(frozen=True, slots=True)
class Pace:
    """How often may be looked.

    usual_s    the pause where nothing is known of when it comes
    early      look more often, and before the likeliest moment too: to see at once what is early
    whole_run  it is the first hour of a run: worth looking from the beginning of its window on
    """

    usual_s: float = 30.0
    whole_run: bool = False
    early: bool = False

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
    if not eager:
        start += SURER * (window.high - window.likely)
    elif pace.early:
        start -= EARLIER * (window.likely - window.low)
    if pace.whole_run:
        start = window.low
    return start + timedelta(seconds=chance * SPREAD * pace.tight_s)


def look_again(window: Window | None, now: datetime, *, pace: Pace, chance: float) -> datetime:
    """When to look again for what is not there at *now*."""
    spread = 1.0 + SPREAD * (2.0 * chance - 1.0)
    pause_s = max(_pause_s(window, now, pace) * spread, pace.tight_s)
    return now + timedelta(seconds=pause_s)


def _pause_s(window: Window | None, now: datetime, pace: Pace) -> float:
    if window is None:
        return pace.usual_s
    if pace.whole_run:
        looks = EARLY_LOOKS_FOR_A_RUN if pace.early else LOOKS_FOR_A_RUN
    else:
        looks = EARLY_LOOKS if pace.early else LOOKS_FOR_AN_HOUR
    width_s = (window.high - window.low) / timedelta(seconds=1)
    due = window.high if pace.whole_run else window.likely
    late_s = (now - due) / timedelta(seconds=1)
    within_s = min(max(width_s / looks, pace.tight_s), pace.usual_s)
    return min(max(within_s, late_s * LATE_SHARE), pace.rarest_s)
