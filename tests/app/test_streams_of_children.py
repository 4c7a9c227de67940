"""What a process that was started with its standard streams closed hands on to its children."""

import subprocess
import sys

SCRIPT = """
import os, subprocess, sys
from twf_async import stops
stops.listen()
child = "import os, sys; sys.exit(os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY))"
sys.exit(subprocess.run([sys.executable, "-S", "-c", child, sys.argv[1]]).returncode)
"""


def test_a_child_has_the_streams_too_and_takes_no_file_for_one(tmp_path):
    command = ["sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh", sys.executable, "-c", SCRIPT]

    done = subprocess.run([*command, str(tmp_path / "ledger")])

    assert done.returncode > 2  # the number of what it opened
