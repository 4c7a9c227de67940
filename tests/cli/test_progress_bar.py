"""The bar of a run stands on the terminal's last line, and never before what is said at the end."""

import io
from contextlib import contextmanager, redirect_stderr, suppress

import click

from tests.cli.test_missing import lacking
from twf_async.cli.progress import bar, tell
from twf_async.errors import BadInput
from twf_async.pipeline.report import RunCount, RunReport

CLEARED = "\r\x1b[K"
COUNT = RunCount(expected=4, published=3, failed=1, not_applicable=0)
SHOWN = f"\r[{'#' * 30}] 3/4 frames, 1 failed "
REPORT = RunReport("gfs", "2026012912", "partial", 4, 3, 3, 0, lacking(1), 2.0)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@contextmanager
def command():
    """A command whose stderr is a terminal; yields that."""
    with redirect_stderr(Terminal()) as terminal, click.Context(click.Command("run")):
        yield terminal


def test_the_end_of_a_run_stands_in_place_of_the_bar():
    with command() as terminal:
        bar()(COUNT)
        tell(REPORT, as_json=False)

    assert terminal.getvalue().startswith(f"{SHOWN}{CLEARED}missing pnw/t2m/f000: ")


def test_whatever_ends_a_command_takes_its_bar_away():
    with suppress(BadInput), command() as terminal:
        bar()(COUNT)
        raise BadInput

    assert terminal.getvalue() == f"{SHOWN}{CLEARED}"


def test_no_bar_is_drawn_and_none_taken_away_where_nobody_looks(capsys):
    with click.Context(click.Command("run")):
        assert bar() is None
        tell(REPORT, as_json=False)

    assert capsys.readouterr().err.startswith("missing pnw/t2m/f000: ")
