"""`python -m twf_async.replica`: the loopback NOMADS from the command line."""

import sys

from twf_async import stops

if __name__ == "__main__":
    stops.listen()

    from twf_async.replica.command import run

    try:
        code = run()
    finally:
        stops.ignore()
    sys.exit(code)
