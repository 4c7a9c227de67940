"""Standard input, output and error of a process that was started without some of them.

What is opened next would get their numbers, and be written to as if it were the log: the ledger, or
somebody's connection.
"""

import os
import sys
from contextlib import suppress

STANDARD = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def stand_in() -> None:
    """Have those that are closed read nothing and write nowhere. To be called before all else."""
    for number, (name, mode) in enumerate(STANDARD):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):  # no /dev/null
                os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
                os.set_inheritable(number, True)  # noqa: FBT003 - it takes no keyword
                setattr(sys, name, os.fdopen(number, mode, closefd=False))
