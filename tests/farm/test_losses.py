"""What a lost attempt means for its job."""

import signal

import pytest

from render_farm.domain.jobs import Reason
from twf_async.farm.errors import JobTimedOut, WorkerDied
from twf_async.farm.losses import OUTSIDE_KILLS, Cause, Loss, Losses, death

CRASH = Loss(Cause.CRASHED, "the worker died (signal 11, SIGSEGV)")
SLOW = Loss(Cause.TIMED_OUT, str(JobTimedOut(120)))
KILL = Loss(Cause.KILLED, "the worker died (signal 9, SIGKILL), from outside")


def after(*losses):
    record = Losses()
    for loss in losses:
        assert not record.hopeless
        record = record.plus(loss)
    return record


@pytest.mark.parametrize("loss", [CRASH, SLOW, Loss(Cause.RAISED, "ValueError: no")])
def test_a_job_has_a_second_attempt_and_no_third(loss):
    assert not after(loss).hopeless
    assert after(loss, loss).hopeless


def test_being_killed_from_outside_is_no_strike():
    record = after(KILL, CRASH, KILL, KILL)

    assert not record.hopeless
    assert record.attempt == 5
    assert record.plus(SLOW).hopeless


def test_a_worker_that_cannot_be_made_is_no_strike_but_is_not_tried_for_ever():
    missing = Loss(Cause.NOT_STARTED, "no worker could be started")

    assert not after(*[missing] * (OUTSIDE_KILLS - 1)).hopeless
    assert after(*[missing] * OUTSIDE_KILLS).hopeless


def test_being_killed_from_outside_for_ever_ends_too_and_is_said():
    record = after(*[KILL] * OUTSIDE_KILLS)

    assert record.hopeless
    assert record.reason is Reason.WORKER_DIED
    assert record.detail == "the worker died (signal 9, SIGKILL), from outside, 10 times"


@pytest.mark.parametrize("cause", [Cause.HANDED_BACK, Cause.LINK_LOST])
def test_what_the_service_or_its_cluster_did_counts_for_nothing_however_often(cause):
    record = after(*[Loss(cause, "not the job")] * 50)

    assert not record.hopeless
    assert not record.plus(CRASH).hopeless
    assert record.plus(CRASH).plus(CRASH).hopeless


def test_a_worker_taken_for_memory_is_tried_alone_and_only_then_blames_the_job():
    beside = death(-signal.SIGKILL, "died", oom_killed=True, alone=False)
    alone = death(-signal.SIGKILL, "died", oom_killed=True, alone=True)

    assert not beside.is_strike
    assert after(beside).alone
    assert not after(beside, alone).hopeless
    record = after(beside, alone, alone)
    assert record.hopeless
    assert record.reason is Reason.OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("exit_code", "cause"),
    [
        (-signal.SIGKILL, Cause.KILLED),
        (-signal.SIGTERM, Cause.KILLED),
        (-signal.SIGSEGV, Cause.CRASHED),
        (-signal.SIGABRT, Cause.CRASHED),
        (1, Cause.CRASHED),
        (255, Cause.KILLED),
        (None, Cause.KILLED),
    ],
)
def test_what_a_renderer_cannot_do_to_itself_or_nobody_saw_comes_from_outside(exit_code, cause):
    assert death(exit_code, "died", oom_killed=False, alone=False).cause is cause


def test_a_crash_is_a_crash_though_the_kernel_was_short_of_memory_meanwhile():
    assert death(-signal.SIGSEGV, "died", oom_killed=True, alone=False).is_strike


def test_the_detail_tells_every_kind_of_loss_once():
    record = after(KILL, CRASH, KILL, SLOW)

    assert record.detail == (
        "the worker died (signal 9, SIGKILL), from outside, 2 times;"
        " the worker died (signal 11, SIGSEGV);"
        " the job took longer than 120 s; its worker was killed"
    )
    assert record.reason is Reason.TIMED_OUT


def test_the_reason_that_the_renderer_gave_is_kept():
    loss = Loss(Cause.RAISED, "the worker ran out of memory", reason=Reason.OUT_OF_MEMORY)

    assert after(loss, loss).reason is Reason.OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("exit_code", "told"),
    [
        (-11, "the worker died (signal 11, SIGSEGV)"),
        (-35, "the worker died (signal 35)"),
        (3, "the worker died (exit code 3)"),
        (None, "the worker died (unknown)"),
    ],
)
def test_a_death_names_exit_code_and_signal(exit_code, told):
    assert str(WorkerDied(exit_code)) == told
