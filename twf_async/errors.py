"""The errors of the service. An error says whether and when asking again can help.

    TwfError
     ├─ BadConfiguration      exit code 78, or a reload refused
     ├─ BadInput              exit code 2
     ├─ FetchError            raised in fetch/, says when to retry
     └─ FarmError             raised in farm/

Messages are one plain sentence that names the thing and the mend.
"""

# Exit codes of every command, besides 0 and that of a stop that did not wait (`stops.FORCED`).
FINDING = 1  # or a crash
BAD_USE = 2
INCOMPLETE = 3
MISCONFIGURED = 78


class TwfError(Exception):
    """Anything the service foresees."""

    exit_code = FINDING


class BadConfiguration(TwfError):
    """A setting is wrong; the message names file and key."""

    exit_code = MISCONFIGURED


class BadInput(TwfError):
    """What the operator typed or handed in is wrong."""

    exit_code = BAD_USE


class FetchError(TwfError):
    """A download did not leave a usable file."""

    retry_after_s: float | None = None  # None: asking again cannot help
    holds_run = True  # what befell one hour would befall the next one too
    reason = "fetch failed"


class FarmError(TwfError):
    """The render farm cannot take or finish work."""
