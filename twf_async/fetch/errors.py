"""What goes wrong between us and a source, one class for each way to go on (nomads.md 2.5).

`retry_after_s` is the first pause before asking again; it grows with each attempt (patience.py).
`suspect_index` says that the inventory we went by may be older or newer than the file, and
`suspect_file` that the file itself may not be written to its end (settling.py). `of_filter` is set
where the grib filter failed to cut out what lies in the file: byte ranges may bring it.
`at_same_byte` is set where a file breaks off at the same place again and again (breaks.py): that of
another source may not.
"""

from twf_async.errors import FetchError


class SourceError(FetchError):
    """The answer was unusable; another one may be better."""

    retry_after_s: float | None = 5.0
    suspect_index = False
    suspect_file = False
    of_filter = False
    at_same_byte = False


class NotYetPublished(SourceError):
    """The file is not there yet. Normal life: never an alarm."""

    retry_after_s = 30.0
    reason = "not yet published"


class Forbidden(NotYetPublished):
    """403 for a young directory: closed by mistake, or not opened yet. Others are not concerned."""

    reason = "forbidden"


class Unsettled(SourceError):
    """The file may still be being written. Of this hour only: nothing else waits for it."""

    reason = "not settled yet"
    holds_run = False

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Expired(SourceError):
    """The directory has been cleared away (403): asking again cannot help."""

    retry_after_s = None
    reason = "no longer on the source"


class Throttled(SourceError):
    """The source has blocked us, or soon would. Every request waits, not only this one.

    answered  it was this request that the source refused
    """

    reason = "throttled by the source"
    answered = False

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unreachable(SourceError):
    """No connection: name, route, refused, TLS."""

    retry_after_s = 10.0
    reason = "source unreachable"


class TimedOut(SourceError):
    """No answer, or no more of it, in time."""

    reason = "timed out"


class ServerTrouble(SourceError):
    """5xx: overload or a fail-over to the other site."""

    reason = "server error"


class Refused(SourceError):
    """A status nobody foresaw (400, 405, 501 ...): asking the same again cannot help."""

    retry_after_s = None
    reason = "request refused"


class BrokenStream(SourceError):
    """The connection ended inside an answer; what came before may be continued."""

    retry_after_s = 2.0
    reason = "connection broken"


class BadFile(SourceError):
    """What was had of one file is not as it should be: other hours need not be so."""

    holds_run = False


class EmptyAnswer(BadFile):
    """200 with nothing in it: the filter found none of what it was asked for."""

    suspect_index = True
    reason = "empty answer"


class NotGrib(BadFile):
    """Another thing than GRIB under a good status."""

    suspect_index = True
    suspect_file = True
    reason = "not GRIB"


class PageInstead(NotGrib):
    """A page under a good status: the server was confused, the file may be whole."""

    suspect_file = False


class Truncated(BadFile):
    """The answer ends before the last message does, or before the last message."""

    suspect_index = True
    suspect_file = True
    reason = "truncated"


class WrongMessages(BadFile):
    """Whole GRIB, but not what was asked for: another run, other fields."""

    suspect_index = True
    suspect_file = True
    retry_after_s = 10.0
    reason = "wrong messages"


class WrongGrid(BadFile):
    """The fields lie on another grid than they should: the box caught nothing, or a bad run."""

    retry_after_s = 30.0
    reason = "wrong grid"


class WrongOrigin(BadFile):
    """The fields are of another centre, or of an ensemble: another model's, under this name."""

    retry_after_s = 30.0
    reason = "wrong origin"


class RangeIgnored(SourceError):
    """The whole file comes instead of a part of it: hung up at once."""

    retry_after_s = 10.0
    reason = "byte range ignored"


class RangeRefused(BadFile):
    """416: the inventory points past the end of the file."""

    suspect_index = True
    suspect_file = True
    retry_after_s = 10.0
    reason = "inventory points past the end of the file"


class PastEnd(RangeRefused):
    """The same, known from the file's length."""


class RangesUnclear(SourceError):
    """What came for several byte ranges at once is not what HTTP says it should be."""

    retry_after_s = 2.0
    reason = "several byte ranges not understood"


class FileReplaced(BadFile):
    """The file became another one while we read it."""

    suspect_index = True
    suspect_file = True
    reason = "file replaced while it was read"


class BadIndex(BadFile):
    """The inventory is empty, cut, shuffled or of another run."""

    suspect_index = True
    retry_after_s = 10.0
    reason = "unusable inventory"


class FieldsLacking(BadFile):
    """The inventory, read for the first time, lacks fields: cut at a line's end, or not written."""

    suspect_index = True
    retry_after_s = 2.0
    reason = "inventory lacks fields"


class TooMuch(BadFile):
    """An answer grew far beyond what the inventory promised: hung up."""

    suspect_index = True
    reason = "answer too large"


class FullRefused(SourceError):
    """Only the whole file could be had, and `fetch.allow_full` is off. The source may get well."""

    retry_after_s = 60.0
    reason = "full download refused"


class NoSpace(FetchError):
    """The disk is too full for a download to begin, or to end."""

    retry_after_s = 60.0
    reason = "no disk space"


class DiskFailed(FetchError):
    """The cache cannot be written or read: it is gone just now, or the disk fails."""

    retry_after_s = 60.0
    reason = "cache unusable"


class DiskUnusable(DiskFailed):
    """The same, and until somebody mends it: read-only, no directory, not ours."""
