"""`python -m twf_async`. Light: every worker imports its parent's main module again."""

from twf_async.cli.main import main

if __name__ == "__main__":
    main()
