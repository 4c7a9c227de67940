"""What the heart makes of threads that wait for a disk, of a process that was stopped, and of a
queue that stands still.
"""

import asyncio

import pytest

from render_farm.domain.jobs import RenderJob
from render_farm.domain.style import Style
from tests.app.test_heart import Clock
from twf_async.app.heart import FarmPulse, Heart
from twf_async.app.notify import Notifier
from twf_async.farm.boot import boot
from twf_async.farm.dispatch import Dispatcher
from twf_async.farm.farm import Farm
from twf_async.farm.post import SlotSpec
from twf_async.pipeline.gate import DispatchGate
from twf_async.pulse import Pulse

EVERY_S, LIMIT_S = 5.0, 10.0


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tasks(tmp_path):
    """Threads as /proc shows them, and nothing beside them: none yet."""
    made = tmp_path / "task"
    made.mkdir()
    return made


@pytest.fixture
def heart(clock, tasks):
    """A heart over one part, which was to be seen within 1 s."""
    pulse = Pulse("cleaner", monotonic=clock)
    pulse.within(1.0)
    return Heart(
        lambda: [pulse],
        DispatchGate(),
        Notifier(None),
        stuck_after_s=lambda: LIMIT_S,
        every_s=EVERY_S,
        dump=lambda: None,
        tasks=tasks,
        monotonic=clock,
    )


def show(tasks, *, slept):
    """One thread in state D, that has slept so often so far."""
    (tasks / "7").mkdir(exist_ok=True)
    status = f"Name:\tpublish\nState:\tD (disk sleep)\nvoluntary_ctxt_switches:\t{slept}\n"
    (tasks / "7" / "status").write_text(status)


def test_only_a_thread_that_still_sleeps_the_same_sleep_hangs(heart, clock, tasks):
    found = []
    for slept in (5, 6, 6, 7):
        clock.now_s += LIMIT_S + 2.0
        show(tasks, slept=slept)
        heart.beat()
        found.append(heart.waits_for_disk)

    assert found == [False, False, True, False]


@pytest.mark.parametrize(("gap_s", "stuck"), [(30.0 + EVERY_S, ["cleaner"]), (31.0 + EVERY_S, [])])
def test_looks_that_lie_apart_by_more_than_a_slow_one_tell_of_a_stop(heart, clock, gap_s, stuck):
    heart.beat()
    clock.now_s += gap_s
    heart.beat()

    assert heart.stuck == stuck


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_job_that_waits_though_a_worker_is_idle_makes_the_queue_late(monkeypatch, tmp_path):
    context = await asyncio.to_thread(boot)
    farm = Farm(SlotSpec(context, 50, "error", console=False), 1, job_timeout_s=60.0)
    await farm.start()
    try:
        pulse = FarmPulse(farm, lambda: 60.0)
        pulse.felt()
        places = str(tmp_path / "staging"), str(tmp_path / "maps")
        job = RenderJob("gfs", "GFS", "2026012912", 6, (), (), (), Style(), *places)

        with monkeypatch.context() as lost:  # as if nobody had told the queue of a free slot
            lost.setattr(Dispatcher, "dispatch", lambda _: None)
            drawing = asyncio.create_task(farm.render(job))
            await until(lambda: farm.waiting)
            await until(lambda: pulse.felt()[1].late_s() > 0.2)
        await farm.resize(1)
        await drawing

        await until(lambda: pulse.felt()[1].late_s() < 0.2)
    finally:
        await farm.stop(kill=True)
