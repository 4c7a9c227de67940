"""What may start beside what runs, asked of real workers that hold what they hold."""

import pytest

from twf_async.farm.carrying import Carrying
from twf_async.farm.machine import Machine, Room
from twf_async.farm.peaks import Peaks
from twf_async.farm.slots import Slots
from twf_async.farm.turns import Kind, Ticket

KIND = Kind("gfs", 21, ("pnw",))
JOB = Ticket(1, KIND, "2026012912", 0)
ALONE = Ticket(2, KIND, "2026012912", 3, alone=True)
QUESTION = Ticket(3)
PEAK_MB = 1000.0


@pytest.fixture
async def slots(spec):
    made = Slots(spec, 2)
    await made.start()
    yield made
    await made.close(kill=True)


async def test_what_must_be_alone_has_no_job_beside_it_whichever_came_first(slots):
    carrying, busy = Carrying(slots, Machine(), Peaks(PEAK_MB)), slots.take()

    assert carrying.may_start(JOB, {busy: JOB})
    assert not carrying.may_start(ALONE, {busy: JOB})
    assert not carrying.may_start(JOB, {busy: ALONE})
    assert carrying.may_start(ALONE, {busy: QUESTION})
    assert carrying.may_start(QUESTION, {busy: ALONE})


async def test_of_what_jobs_are_expected_to_take_their_workers_hold_some_already(slots):
    room = Room(2 * PEAK_MB - 50.0)  # a worker holds more than 25 MB
    carrying, busy = Carrying(slots, Machine(lambda: room), Peaks(PEAK_MB)), slots.take()

    assert carrying.may_start(JOB, {busy: JOB})
    assert not carrying.is_holding
    room = Room(PEAK_MB)
    assert not carrying.may_start(JOB, {busy: JOB})
    assert carrying.is_holding
    room = Room(2 * PEAK_MB)
    assert carrying.may_start(JOB, {busy: JOB})
    assert not carrying.is_holding
