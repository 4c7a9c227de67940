"""Who heeds a stop, when, and how often: each in a process of its own, which stops itself."""

import subprocess
import sys
from textwrap import dedent

import psutil
import pytest

from tests.integration.service import REPOSITORY, wait_for

START = """
import os, signal, sys
from twf_async import stops

def stop(number=signal.SIGTERM):
    os.kill(os.getpid(), number)

stops.listen()
"""


def run(text):
    done = subprocess.run(
        [sys.executable, "-c", dedent(START) + dedent(text)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout.split(), done.stderr


def has_ended(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # nobody has asked after it
    except psutil.NoSuchProcess:
        return True


def test_a_stop_is_noted_until_somebody_heeds_it():
    told = run("""
        stop(signal.SIGINT)
        print(stops.asked().name)
        stops.heed(lambda number: print("heeded", number.name))
    """)

    assert told == (0, ["SIGINT", "heeded", "SIGINT"], "")


def test_a_command_is_interrupted_where_it_is_and_tidies_up_undisturbed():
    told = run("""
        stops.interrupt()
        try:
            stop()
            print("never")
        except KeyboardInterrupt:
            stop()
            stop(signal.SIGINT)
            print("tidy")
    """)

    assert told == (0, ["tidy"], "")


def test_what_is_held_is_whole_before_a_stop_is_heeded():
    told = run("""
        stops.interrupt()
        try:
            with stops.held():
                with stops.held():
                    stop()
                print("whole")
            print("never")
        except KeyboardInterrupt:
            print("heeded")
    """)

    assert told == (0, ["whole", "heeded"], "")


@pytest.mark.parametrize("heed", ["", "stops.heed(lambda _: None)"])
def test_a_second_stop_does_not_wait_but_for_what_must_be_done_at_last(heed):
    told = run(f"""
        {heed}
        with stops.at_last(lambda: print("last", flush=True)):
            stop()
            stop()
            print("never")
    """)

    assert told == (130, ["last"], "")


def test_a_second_stop_ends_what_is_held_once_it_is_whole_and_a_third_at_once():
    second = run("""
        with stops.held():
            stop()
            stop()
            print("whole", flush=True)
        print("never")
    """)
    third = run("""
        with stops.held():
            stop()
            stop()
            stop()
            print("never")
    """)

    assert second == (130, ["whole"], "")
    assert third == (130, [], "")


def test_a_second_stop_ends_every_process_of_ours():
    code, out, _ = run("""
        import subprocess
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(child.pid, flush=True)
        stop()
        stop()
    """)

    assert code == 130
    wait_for(lambda: has_ended(int(out[0])), "the child has ended")


def test_a_stop_between_two_programs_of_one_process_is_heeded_by_the_second():
    told = run("""
        stops.keep_back()
        stop()
        if stops.asked() is None:
            second = "from twf_async import stops; stops.listen(); print(stops.asked().name)"
            os.execv(sys.executable, [sys.executable, "-c", second])
    """)

    assert told == (0, ["SIGTERM"], "")


def test_at_the_very_end_no_signal_makes_it_an_unclean_one():
    told = run("""
        stops.interrupt()
        stops.ignore()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            stop(number)
        print("done")
    """)

    assert told == (0, ["done"], "")


def test_a_stop_that_comes_in_the_middle_of_a_finalizer_is_not_lost():
    told = run("""
        import time
        class Finalized:
            def __del__(self):
                stop()
                print("never")
        stops.interrupt()
        try:
            Finalized()
            time.sleep(60)
        except KeyboardInterrupt:
            print("heeded")
    """)

    assert told == (0, ["heeded"], "")


def test_the_end_waits_for_no_thread_that_is_to_be_left_alone():
    """Of a reader whose disk does not answer."""
    told = run("""
        import threading
        from concurrent.futures import ThreadPoolExecutor
        from twf_async.cli import main
        begun = threading.Event()
        threads = ThreadPoolExecutor(1, thread_name_prefix=stops.LEFT_ALONE)
        threads.submit(lambda: (begun.set(), threading.Event().wait()))
        begun.wait()
        threads.shutdown(wait=False)
        print("ends")
        main._leave(0)
    """)

    assert told == (0, ["ends"], "")


def test_what_else_a_finalizer_raises_is_told_as_ever():
    code, out, err = run("""
        class Finalized:
            def __del__(self):
                raise ValueError("odd")
        stops.interrupt()
        Finalized()
    """)

    assert (code, out) == (0, [])
    assert "Exception ignored in" in err
    assert "ValueError: odd" in err
