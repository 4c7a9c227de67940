"""What an end at once still does, and what a late signal does not undo; each in a process."""

from tests.cli.test_stops import run


def test_what_cannot_be_done_at_last_keeps_nothing_else_from_being_done():
    told = run("""
        def fail():
            raise OSError("the disk takes nothing")
        with stops.at_last(fail), stops.at_last(lambda: print("last", flush=True)):
            stop()
            stop()
            print("never")
    """)

    assert told == (130, ["last"], "")


def test_at_the_very_end_a_reload_is_ignored_whoever_heeded_it_before():
    told = run("""
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        stops.ignore()
        stop(signal.SIGHUP)
        print("done")
    """)

    assert told == (0, ["done"], "")


def test_who_is_interrupted_waits_for_no_worker():
    told = run("""
        import multiprocessing, time
        worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
        worker.start()
        stops.interrupt()
        try:
            stop()
        except KeyboardInterrupt:
            worker.join(20)
            print(worker.exitcode)
            worker.kill()
    """)

    assert told == (0, ["-9"], "")


def test_who_tidies_up_for_too_long_is_ended_by_a_second_stop():
    told = run("""
        stops.TIDY_S = 0.0
        stops.interrupt()
        try:
            stop()
        except KeyboardInterrupt:
            stop()
            print("never")
    """)

    assert told == (130, [], "")
