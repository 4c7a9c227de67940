"""How a remote worker ended, by what its nanny wrote."""

import pytest

from twf_async.farm.remote.endings import Ending, ending_of

STARTS = "2026-11-26 07:00:00,000 - distributed.nanny - INFO -         Start Nanny at: 'tcp://a:1'"
KILLED = "2026-11-26 07:01:00,000 - distributed.nanny - INFO - Worker process 41 was killed by"
LEFT = "2026-11-26 07:01:00,000 - distributed.nanny - INFO - Worker process 41 exited with status"
LARGE = (
    "2026-11-26 07:00:59,000 - distributed.nanny.memory - WARNING -"
    " Worker tcp://a:2 (pid=41) exceeded 95% memory budget. Restarting..."
)


@pytest.mark.parametrize(
    ("newest_first", "ending"),
    [
        ([f"{KILLED} signal 9", STARTS], Ending(-9)),
        ([f"{LEFT} 3", STARTS], Ending(3)),
        ([f"{KILLED} signal 15", LARGE, STARTS], Ending(-15, for_memory=True)),
        ([f"{KILLED} signal 11", f"{LEFT} 3", STARTS], Ending(-11)),
        ([f"{KILLED} signal 9", f"{KILLED} signal 15", LARGE], Ending(-9)),
        ([f"{KILLED} unknown signal", STARTS], None),
        ([LARGE, STARTS], None),
        ([], None),
    ],
)
def test_the_last_end_of_a_process_of_this_number_is_told(newest_first, ending):
    assert ending_of(41, newest_first) == ending


def test_the_end_of_another_process_is_not_taken_for_it():
    assert ending_of(4, [f"{KILLED} signal 9"]) is None
    assert ending_of(410, [f"{KILLED} signal 9"]) is None
