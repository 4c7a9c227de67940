"""What a command says when it cannot do what it was asked to: one sentence on stderr, and its code.

With --json the sentence comes on stdout, too, as a document: whoever reads that by a program finds
one there however the command ends.
"""

import errno
import json
import sys
from contextlib import suppress

import click

from twf_async.errors import FINDING, TwfError

_MENDS = {
    errno.EACCES: "run this as the user whom it belongs to, the service's, or name another place",
    errno.EPERM: "run this as the user whom it belongs to, the service's, or name another place",
    errno.EROFS: "name a place that may be written",
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room",
    errno.ENOTDIR: "name a directory",
    errno.EMFILE: "let this process open more files (`ulimit -n`, LimitNOFILE=)",
    errno.ENFILE: "let the machine open more files (sysctl fs.file-max)",
    errno.EADDRINUSE: "stop what listens there, or take another port",
    errno.ELOOP: "its symbolic links lead nowhere; name another place",
}


def tell(error: Exception) -> int:
    """Say what is wrong; returns the exit code."""
    sentence, code = _told(error)
    with suppress(OSError):  # stderr is full, or closed: the code still tells
        click.echo(sentence, err=True)
    if "--json" in sys.argv and not isinstance(error, click.exceptions.NoArgsIsHelpError):
        with suppress(OSError):
            click.echo(json.dumps({"error": sentence, "exit_code": code}, indent=2))
    return code


def _told(error: Exception) -> tuple[str, int]:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message(), error.exit_code
    if isinstance(error, click.UsageError):
        return _usage(error), error.exit_code
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    if isinstance(error, TwfError):
        return str(error), error.exit_code
    if isinstance(error, OSError):
        return _of_system(error), FINDING
    fault = f"a fault of twf-async itself, {type(error).__name__}: {error}; please report it"
    return f"{fault}, with what `twf-async --debug` shows in front of the command", FINDING


def _usage(error: click.UsageError) -> str:
    message = error.format_message()
    if isinstance(error, click.NoSuchOption):
        close = error.possibilities
        message = error.message.rstrip(".") + (f" (did you mean {close[0]!r}?)" if close else "")
    message = message.rstrip(".")
    command = error.ctx.command_path if error.ctx is not None else "twf-async"
    return f"{message[:1].lower()}{message[1:]}; `{command} --help` says what there is"


def _of_system(error: OSError) -> str:
    """What the system refused, where, and what helps if that is known."""
    what = error.strerror or str(error)
    if error.filename:
        what = f"{error.filename}: {what}"
    elif error.errno == errno.ENOSPC:
        what = f"{what}, for the output or for the files that it is about"
    mend = _MENDS.get(error.errno or 0)
    return f"{what}; {mend}" if mend else what
