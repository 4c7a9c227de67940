"""What of a run can be drawn, by the files that are there. Pure.

A product is drawn once all its files are there; an hour's products wait for each other unless a
file they lack is known not to exist yet.
"""

from collections.abc import Mapping
from dataclasses import replace

from render_farm.domain.fields import MessageKey
from twf_async.plan.fields import Need
from twf_async.plan.orders import ProductOrder
from twf_async.plan.progress import Drawable, Failed, FileState, FileStatus, RunProgress

FIELD_MISSING = "field missing"


def to_draw(run: RunProgress) -> tuple[Drawable, ...]:
    """What can be settled now, rising hours."""
    if run.policy.batch and any(not _settled(run.files[hour]) for hour in run.needed):
        return ()
    found = (_drawable(run, hour) for hour in sorted(run.waiting))
    return tuple(drawable for drawable in found if drawable is not None)


def handed_out(run: RunProgress, drawable: Drawable) -> RunProgress:
    """The products of *drawable* are being drawn or have failed; they wait no more."""
    orders = {order.product.key for order in drawable.orders}
    gone = orders | {failed.product for failed in drawable.failed}
    rest = tuple(o for o in run.waiting[drawable.hour] if o.product.key not in gone)
    waiting = {hour: left for hour, left in run.waiting.items() if hour != drawable.hour}
    if rest:
        waiting[drawable.hour] = rest
    drawing = dict(run.drawing)
    if orders:
        drawing[drawable.hour] = drawing.get(drawable.hour, frozenset()) | orders
    return replace(run, waiting=waiting, drawing=drawing)


def drawn(run: RunProgress, drawable: Drawable) -> RunProgress:
    """The products of *drawable* are settled."""
    left = run.drawing[drawable.hour] - {order.product.key for order in drawable.orders}
    drawing = {hour: keys for hour, keys in run.drawing.items() if hour != drawable.hour}
    if left:
        drawing[drawable.hour] = left
    return replace(run, drawing=drawing)


def made_up_for(
    run: RunProgress,
    hour: int,
    missing: frozenset[MessageKey],
    waiting: Mapping[int, tuple[ProductOrder, ...]],
) -> RunProgress:
    """An hour was given up, but all that is wanted of it except *missing* is here.

    waiting  what can be drawn by that, and what does not need the hour
    """
    state = replace(run.files[hour], status=FileStatus.FETCHED, missing=missing)
    return replace(run, files={**run.files, hour: state}, waiting=waiting)


def _drawable(run: RunProgress, hour: int) -> Drawable | None:
    ready: list[ProductOrder] = []
    lost: list[Failed] = []
    awaited: set[int] = set()
    own = run.files.get(hour)
    if own is not None and not _settled(own) and not _known_absent(own):
        return None
    for order in run.waiting[hour]:
        state = _inputs(run, order)
        if isinstance(state, ProductOrder):
            ready.append(state)
        elif isinstance(state, Failed):
            lost.append(state)
        else:
            awaited |= state
    if any(not _known_absent(run.files[file_hour]) for file_hour in awaited):
        return None  # it will be there soon, and one decoding serves all
    return Drawable(hour, tuple(ready), tuple(lost)) if ready or lost else None


def _inputs(run: RunProgress, order: ProductOrder) -> ProductOrder | Failed | set[int]:
    """The order with the roles that exist, why it fails, or the hours it waits for."""
    without: set[str] = set()
    awaited: set[int] = set()
    for role, needs in order.inputs.items():
        fault = next((f for need in needs if (f := _fault(need, run.files[need[0]]))), None)
        if fault is not None and role not in order.product.optional:
            return Failed(order.product.key, *fault)
        if fault is not None:
            without.add(role)
            continue
        awaited |= {hour for hour, _ in needs if run.files[hour].status is not FileStatus.FETCHED}
    return awaited or (order.without(without) if without else order)


def _fault(need: Need, state: FileState) -> tuple[str, str] | None:
    hour, key = need
    if state.gone or (key in state.missing and state.reason):
        return state.reason, f"hour {hour}{': ' if state.detail else ''}{state.detail}"
    if key in state.missing:
        return FIELD_MISSING, f"{key} is not in the file of hour {hour}"
    return None


def _settled(state: FileState) -> bool:
    return state.status in {FileStatus.FETCHED, FileStatus.GIVEN_UP}


def _known_absent(state: FileState) -> bool:
    return state.status is FileStatus.PENDING and state.absences + state.failures > 0
