"""What a source's answer means: good bytes, or one of our errors. No network, no state.

Success is never a status alone: over its limit NOMADS redirects to nowhere, and pages of HTML come
with status 200 (nomads.md 2.5).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from html import unescape

from twf_async.fetch.errors import (
    BrokenStream,
    Expired,
    Forbidden,
    NotYetPublished,
    PageInstead,
    PastEnd,
    RangeIgnored,
    RangeRefused,
    Refused,
    ServerTrouble,
    SourceError,
)
from twf_async.fetch.spans import ContentRange, Span, read_content_range

PEEK_BYTES = 4096
LONGEST_WAIT_S = 600.0
_BLOCKED = (b"abusive-user-block", b"over rate limit", b"allowed limit has been reached")
_ABSENT = (b"not present", b"not found", b"does not exist")
_DENIED = b"access denied"  # Akamai's page, which comes for every path
_CLOSED = (b"403 forbidden", b"<code>accessdenied</code>")  # Apache's and S3's, of one path each
_AKAMAI = "akamai"
_TITLE = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
_TAG = re.compile(rb"<[^>]*>")
_REDIRECTS = {301, 302, 303, 307, 308}
_BY_STATUS: dict[int, type[SourceError]] = {
    404: NotYetPublished,
    410: NotYetPublished,
    416: RangeRefused,
}


class Blocked(Exception):
    """The answer says that we are, or soon will be, shut out; the breaker makes it Throttled."""

    def __init__(self, what: str, retry_after_s: float = 0.0) -> None:
        super().__init__(what)
        self.retry_after_s = retry_after_s


def is_redirect(status: int) -> bool:
    """Whether a status sends us elsewhere."""
    return status in _REDIRECTS


def require_good_status(
    status: int, reason: str, headers: Mapping[str, str], page: bytes, *, recent: bool
) -> None:
    """Return for 200 and 206, raise what any other status means.

    reason  the reason phrase
    page    the first bytes of the body
    recent  whether what was asked for is too young to have been cleared away
    raises  Blocked or a SourceError
    """
    if status in {200, 206}:
        return
    reason = _writable(reason)
    what = f"{status} {reason}: {_words(page)}".rstrip(": ")
    wait_s = _retry_after_s(headers)
    if says_blocked(reason.encode() + b" " + page) or status == 429:
        raise Blocked(what, wait_s)
    if is_redirect(status):
        raise _redirected(status, headers.get("Location"), wait_s)
    if status == 403:
        raise _forbidden(what, headers, page, recent=recent)
    if status >= 500:
        trouble = ServerTrouble(what)
        trouble.retry_after_s = max(wait_s, ServerTrouble.retry_after_s or 0.0)
        raise trouble
    raise _BY_STATUS.get(status, Refused)(what)


def require_no_page(status: int, peek: bytes) -> None:
    """Return unless a body that came with a good status begins like a page instead of data.

    A part of a file (206) may begin with any byte, also with "<".
    """
    if peek.startswith(b"GRIB"):
        return
    if says_blocked(peek):
        raise Blocked(f"a page: {_words(peek)}")
    if status == 206 or not peek.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return
    if any(word in peek.lower() for word in _ABSENT):
        raise NotYetPublished(f"a page: {_words(peek)}")
    raise PageInstead(f"a page instead of data: {_words(peek)}")


def says_blocked(text: bytes) -> bool:
    """Whether a page, a reason phrase or an address tells of a block."""
    lowered = text.lower()
    return any(word in lowered for word in _BLOCKED)


def require_range(status: int, headers: Mapping[str, str], asked: Span) -> ContentRange:
    """The bytes that come where one span was asked for.

    raises  RangeIgnored, RangeRefused for one that the file cannot hold, BrokenStream for
            another one than asked
    """
    require_part(status)
    told = headers.get("Content-Range", "")
    coming = read_content_range(told)
    if coming is None:
        raise RangeIgnored(f"206 with Content-Range {_writable(told)[:60]!r}")
    if asked.end is not None and coming.total < asked.end:
        raise PastEnd(f"asked for bytes {asked}, the file has {coming.total}")
    if (coming.start, coming.end) != (asked.start, asked.end or coming.total):
        raise BrokenStream(f"asked for bytes {asked}, got {coming}")
    return coming


def require_part(status: int) -> None:
    """Raise RangeIgnored unless a part of the file comes."""
    if status != 206:
        raise RangeIgnored(f"status {status} to a byte range: the whole file comes")


def last_modified(headers: Mapping[str, str]) -> datetime | None:
    """When the file was last written, aware; None where the source does not say."""
    return moment_of(headers, "Last-Modified")


def moment_of(headers: Mapping[str, str], name: str) -> datetime | None:
    """The moment that a header tells, aware; None for none."""
    text = headers.get(name)
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None


def error_of_kind(kind: type[SourceError], what: object) -> SourceError:
    """One of our errors from a foreign one, which often has no text of its own."""
    return kind(_writable(str(what)) or type(what).__name__)


def _forbidden(
    what: str, headers: Mapping[str, str], page: bytes, *, recent: bool
) -> Blocked | SourceError:
    """Tell a closed directory from a closed door. What is unclear is taken for the door."""
    lowered = page.lower()
    if _AKAMAI in headers.get("Server", "").lower():
        return Blocked(what)
    if any(word in lowered for word in _CLOSED):
        return Forbidden(what) if recent else Expired(what)
    return Blocked(what) if recent or _DENIED in lowered else Expired(what)


def _redirected(status: int, location: str | None, wait_s: float) -> Exception:
    if location is None:
        return Blocked(f"{status} without a Location", wait_s)
    location = _writable(location)
    if says_blocked(location.encode()):
        return Blocked(f"{status} to {location}", wait_s)
    return ServerTrouble(f"sent elsewhere: {status} to {location}")


def _retry_after_s(headers: Mapping[str, str]) -> float:
    text = headers.get("Retry-After", "")
    return min(float(text), LONGEST_WAIT_S) if text.isascii() and text.isdigit() else 0.0


def _writable(text: str) -> str:
    """What of a header was not UTF-8 comes as half characters, which no log can write."""
    return text.encode("utf-8", "replace").decode()


def _words(page: bytes) -> str:
    title = _TITLE.search(page)
    text = title[1] if title else _TAG.sub(b" ", page)
    return unescape(" ".join(text.decode("utf-8", "replace").split()))[:160]
