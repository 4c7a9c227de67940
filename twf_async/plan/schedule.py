"""What of a run to fetch and to draw next. Pure: states in, decisions out, time handed in.

Files come in order, mostly. The lowest hour that is not there is asked for again and again; only
when it stays away are later ones tried too, for hours do come out of order. Fetching runs ahead of
drawing by a bounded number of hours. A product is drawn once all its files are there; an hour's
products wait for each other unless a file they lack is known not to exist yet.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from render_farm.domain.fields import MessageKey
from twf_async.plan.orders import Need, ProductOrder

NOT_PUBLISHED = "not published"
FIELD_MISSING = "field missing"
PATIENCE = 3  # absences of an hour before the next one is asked for as well
LONGEST_BACK_OFF_S = 300.0


class FileStatus(StrEnum):
    """Where the files of one hour are."""

    PENDING = "pending"
    FETCHING = "fetching"
    FETCHED = "fetched"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class FileState:
    """The files of one hour. not_before: when to ask again; missing: wanted but not in them."""

    status: FileStatus = FileStatus.PENDING
    not_before: datetime | None = None
    absences: int = 0
    failures: int = 0
    reason: str = ""
    detail: str = ""
    missing: frozenset[MessageKey] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """How a run is worked through. deadline: after it, what is not there is given up."""

    ahead_hours: int = 6
    fetches_at_once: int = 2
    attempts: int = 5
    poll_s: float = 30.0
    batch: bool = False
    wait: bool = True
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A product of an hour that cannot be drawn."""

    product: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Drawable:
    """What of an hour can be settled now: products with the inputs that exist, and failures."""

    hour: int
    orders: tuple[ProductOrder, ...]
    failed: tuple[Failed, ...]


@dataclass(frozen=True, slots=True)
class RunProgress:
    """A run on its way. waiting: products not yet handed out; drawing: those that are.

    at_edge    we have caught up with the other side, so hours are asked for one by one
    """

    policy: Policy
    waiting: Mapping[int, tuple[ProductOrder, ...]]
    files: Mapping[int, FileState]
    drawing: Mapping[int, frozenset[str]] = field(default_factory=dict)
    hold_until: datetime | None = None
    at_edge: bool = False

    @property
    def finished(self) -> bool:
        """Every product of every hour is settled."""
        return not self.waiting and not self.drawing

    @property
    def needed(self) -> frozenset[int]:
        """Hours whose files some waiting product still takes."""
        return frozenset(
            hour for orders in self.waiting.values() for order in orders for hour in order.files
        )


def to_fetch(run: RunProgress, now: datetime) -> tuple[int, ...]:
    """Hours to ask for now, lowest first."""
    if run.hold_until is not None and now < run.hold_until:
        return ()
    due = [hour for hour, when in _askable(run) if when is None or when <= now]
    return tuple(due[: _places(run)])


def next_look(run: RunProgress, now: datetime) -> datetime | None:
    """When `to_fetch` may say more than now, if nothing else happens; None: never."""
    times = [when or now for _, when in _askable(run)]
    if not times or not _places(run):
        return None
    return max(min(times), run.hold_until or now)


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


def fetching(run: RunProgress, hour: int) -> RunProgress:
    """An hour is being asked for."""
    return _with(run, hour, replace(run.files[hour], status=FileStatus.FETCHING, not_before=None))


def fetched(run: RunProgress, hour: int, missing: frozenset[MessageKey]) -> RunProgress:
    """An hour's files are there; *missing* is not in them and never will be."""
    waited_for = run.files[hour].absences > 0
    run = replace(run, at_edge=run.at_edge and waited_for)
    return _with(run, hour, FileState(FileStatus.FETCHED, missing=missing))


def absent(run: RunProgress, hour: int, now: datetime) -> RunProgress:
    """The other side does not have the hour yet."""
    state = run.files[hour]
    if not run.policy.wait or _late(run, now):
        return _with(run, hour, FileState(FileStatus.GIVEN_UP, reason=NOT_PUBLISHED))
    again = now + timedelta(seconds=run.policy.poll_s)
    fresh = replace(state, status=FileStatus.PENDING, not_before=again, absences=state.absences + 1)
    return replace(_with(run, hour, fresh), at_edge=True)


def failed(
    run: RunProgress, hour: int, now: datetime, *, reason: str, detail: str, retry_s: float | None
) -> RunProgress:
    """Fetching an hour failed; retry_s None: asking again cannot help."""
    state = run.files[hour]
    failures = state.failures + 1
    spent = failures >= run.policy.attempts and (not run.policy.wait or _late(run, now))
    if retry_s is None or spent:
        gone = FileState(FileStatus.GIVEN_UP, failures=failures, reason=reason, detail=detail)
        return _with(run, hour, gone)
    pause_s = min(retry_s * 2 ** min(failures - 1, 16), max(retry_s, LONGEST_BACK_OFF_S))
    fresh = replace(
        state,
        status=FileStatus.PENDING,
        not_before=now + timedelta(seconds=pause_s),
        failures=failures,
        reason=reason,
        detail=detail,
    )
    # What befell one hour (throttling, an outage) would befall the next one too.
    hold = max(run.hold_until or now, now + timedelta(seconds=retry_s))
    return replace(_with(run, hour, fresh), hold_until=hold)


def superseded(run: RunProgress, now: datetime) -> RunProgress:
    """A newer run has data: every hour still missing gets one last look, at once."""
    files = {
        hour: replace(state, not_before=None, absences=0)
        if state.status is FileStatus.PENDING
        else state
        for hour, state in run.files.items()
    }
    policy = replace(run.policy, deadline=now)
    return replace(run, files=files, policy=policy, at_edge=False)


def _askable(run: RunProgress) -> Iterator[tuple[int, datetime | None]]:
    """Pending hours that may be asked for, lowest first, and from when on."""
    ahead = 0
    away = 0
    needed = run.needed
    for hour in sorted(run.files):
        state = run.files[hour]
        if state.status is FileStatus.PENDING and hour in needed:
            if away >= PATIENCE or (not run.policy.batch and ahead >= run.policy.ahead_hours):
                return
            yield hour, state.not_before
            if state.absences >= PATIENCE:
                away += 1
            elif state.absences or run.at_edge:
                return
        waits = hour in run.waiting and state.status is not FileStatus.GIVEN_UP
        ahead += waits or hour in run.drawing


def _places(run: RunProgress) -> int:
    busy = sum(state.status is FileStatus.FETCHING for state in run.files.values())
    return max(0, run.policy.fetches_at_once - busy)


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
    inputs: dict[str, tuple[Need, ...]] = {}
    awaited: set[int] = set()
    for role, needs in order.inputs.items():
        states = [run.files[hour] for hour, _ in needs]
        fault = next(
            (f for need, state in zip(needs, states, strict=True) if (f := _fault(need, state))),
            None,
        )
        if fault is not None and role not in order.product.optional:
            return Failed(order.product.key, *fault)
        if fault is not None:
            continue
        awaited |= {
            hour
            for (hour, _), state in zip(needs, states, strict=True)
            if state.status is not FileStatus.FETCHED
        }
        inputs[role] = needs
    return awaited or replace(order, inputs=inputs)


def _fault(need: Need, state: FileState) -> tuple[str, str] | None:
    hour, key = need
    if state.status is FileStatus.GIVEN_UP:
        return state.reason, f"hour {hour}{': ' if state.detail else ''}{state.detail}"
    if key in state.missing:
        return FIELD_MISSING, f"{key} is not in the file of hour {hour}"
    return None


def _settled(state: FileState) -> bool:
    return state.status in {FileStatus.FETCHED, FileStatus.GIVEN_UP}


def _known_absent(state: FileState) -> bool:
    return state.status is FileStatus.PENDING and state.absences + state.failures > 0


def _late(run: RunProgress, now: datetime) -> bool:
    return run.policy.deadline is not None and now >= run.policy.deadline


def _with(run: RunProgress, hour: int, state: FileState) -> RunProgress:
    return replace(run, files={**run.files, hour: state})
