"""`python -m twf_async.replica`: the loopback NOMADS from the command line."""

from twf_async import stops

if __name__ == "__main__":
    stops.listen()

    from twf_async.replica.command import run

    run()
