"""The mirror: the same files as an S3 bucket hands them out (nomads.md 1 and 8.5).

Keys are NOMADS' paths without "{model}/prod/"; no listing, no filter, one range a request, errors
in XML, no cookies and no limit of hits.
"""

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import md5
from html import escape

from aiohttp import web

from twf_async.replica.file_answers import FileRequest, StaticOptions, answer_file
from twf_async.replica.hits import SaysNow
from twf_async.replica.tree import COM, Entry, FileTree

_DAY = re.compile(r"/(?P<model>[a-z]+)\.\d{8}/.+")
_SINGLE = StaticOptions(multi_range=False)


@dataclass(frozen=True, slots=True)
class MirrorOptions:
    """lag_s: seconds on the replica's clock from a file's time on NOMADS to its copy here."""

    lag_s: float = 0.0


def tree_path(key: str) -> str | None:
    """Return the path on NOMADS of the bucket's *key* ("/gfs.20260129/12/..."); None for none."""
    match = _DAY.fullmatch(key)
    return f"{COM}/{match['model']}/prod{key}" if match else None


class Mirror:
    """Answers GET and HEAD for the keys of a bucket."""

    def __init__(self, tree: FileTree, clock: SaysNow, options: MirrorOptions) -> None:
        self._tree = tree
        self._clock = clock
        self._lag = timedelta(seconds=options.lag_s)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer with a file, a part of it, or S3's error."""
        path = tree_path(request.path)
        entry = await asyncio.to_thread(self._entry, path) if path is not None else None
        if path is None or entry is None:
            return refused(404, "NoSuchKey", "The specified key does not exist.", request.path)
        answer = answer_file(self._tree, FileRequest(request, path, entry, _SINGLE), _headers(path))
        if answer is not None:
            return answer
        text = "The requested range is not satisfiable"
        refusal = refused(416, "InvalidRange", text, request.path)
        refusal.headers["Content-Range"] = f"bytes */{entry.size}"
        return refusal

    def _entry(self, path: str) -> Entry | None:
        """Return the file's entry once its copy has been made."""
        try:
            entry = self._tree.stat(path)
        except PermissionError:
            return None
        if entry is None or entry.is_dir:
            return None
        copied = entry.mtime + self._lag
        return replace(entry, mtime=copied) if copied <= self._clock.now() else None


def refused(status: int, code: str, message: str, key: str) -> web.Response:
    """Return an error in S3's words."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{message}</Message><Key>{escape(key.lstrip('/'))}"
        "</Key></Error>"
    )
    return web.Response(
        status=status, text=text, content_type="application/xml", headers=_headers(key)
    )


def slow_down(key: str) -> web.Response:
    """Return what S3 says under load."""
    return refused(503, "SlowDown", "Please reduce your request rate.", key)


def _headers(key: str) -> dict[str, str]:
    made = md5(key.encode(), usedforsecurity=False).hexdigest().upper()
    return {"Server": "AmazonS3", "x-amz-request-id": made[:16], "x-amz-id-2": made}
