"""Log lines on a terminal: coloured, unless its user has said otherwise."""

import os
import subprocess
import sys

import pytest

SCRIPT = (
    "import structlog; from render_farm.logs import lines; lines.configure(console=True);"
    "structlog.get_logger(component='app').info('app.started', url='http://localhost/')"
)


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_left_out_where_nobody_wants_them(environ, coloured):
    ours, theirs = os.openpty()
    others = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    try:
        subprocess.run([sys.executable, "-c", SCRIPT], stderr=theirs, env=others | environ)
        told = os.read(ours, 4096).decode()
    finally:
        os.close(ours)
        os.close(theirs)

    assert "app.started" in told
    assert ("\x1b[" in told) == coloured
