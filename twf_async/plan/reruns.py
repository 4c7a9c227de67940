"""Runs whose files are replaced after we took them: where to look, and what to do again. Pure.

A rerun writes files of another content under the same names, from some hour on, and so after a
pause. Its inventories give it away: other fields have other sizes. Looking at every hour again
would cost as many requests as there are hours; a few hours tell whether that is needed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from twf_async.plan.arrivals import Arrival, Window
from twf_async.plan.orders import ProductOrder
from twf_async.plan.progress import FileState, RunProgress

Orders = tuple[ProductOrder, ...]

PAUSE = timedelta(minutes=10)  # an hour this late may be the first one after a rerun began
RELOOK = timedelta(hours=1)  # between looks at a run that has ended and is the newest
AGAIN = "again:"  # before the digest of an hour whose pictures are owed


def owed(digest: str = "") -> str:
    """How an hour is noted whose pictures are older than its files.

    digest  of the inventory that its files were taken by anew; "" while they are still to be taken
    """
    return f"{AGAIN}{digest}"


def noted(inventory: str) -> tuple[str, bool]:
    """The digest that was noted of an hour, and whether pictures are owed; see `owed`."""
    return inventory.removeprefix(AGAIN), inventory.startswith(AGAIN)


def paid(run: RunProgress, hours: Iterable[int], orders: Mapping[int, Orders]) -> frozenset[int]:
    """Those of *hours* that nothing waits for or is being drawn from any more."""
    drawn_from = {
        file
        for hour, keys in run.drawing.items()
        for order in orders.get(hour, ())
        if order.product.key in keys
        for file in order.files
    }
    return frozenset(hours) - run.needed - drawn_from


def samples(hours: Iterable[int]) -> tuple[int, ...]:
    """The hours that tell for the others: first, middle and last."""
    rising = sorted(set(hours))
    if not rising:
        return ()
    return tuple(sorted({rising[0], rising[len(rising) // 2], rising[-1]}))


def paused(window: Window | None, arrival: Arrival | None) -> bool:
    """Whether an hour came so late that the other side may have begun the run again."""
    return window is not None and arrival is not None and arrival.at > window.high + PAUSE


def again(
    run: RunProgress,
    hours: frozenset[int],
    orders: Mapping[int, Orders],
    *,
    not_before: datetime | None = None,
) -> tuple[RunProgress, dict[int, Orders]]:
    """The files of *hours* were replaced, or were bad: take them anew, and what is made of them.

    orders  everything the run is to have, or all that is to be made again, by hour
    not_before  when the files of *hours* may be asked for; None: now
    returns the run, and the products to be drawn again
    """
    redo: dict[int, Orders] = {}
    for hour, all_ in orders.items():
        busy = {order.product.key for order in run.waiting.get(hour, ())}
        hit = tuple(
            order
            for order in all_
            if order.product.key not in busy and not order.files.isdisjoint(hours)
        )
        if hit:
            redo[hour] = hit
    waiting = {
        hour: (*run.waiting.get(hour, ()), *redo.get(hour, ()))
        for hour in sorted({*run.waiting, *redo})
    }
    files = dict(run.files)
    taken = {hour for found in redo.values() for order in found for hour in order.files}
    for hour in taken | hours:  # those that were not replaced come out of the cache
        files[hour] = FileState()
    if not_before is not None:
        for hour in hours:  # counts as failed once: nobody expects it at any other time
            files[hour] = FileState(not_before=not_before, failures=1)
    return replace(run, waiting=waiting, files=files), redo
