"""The grib filter, /cgi-bin/filter_*.pl: g2sub in front of wgrib2 (nomads.md 2)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from aiohttp import web

from twf_async.replica import pages
from twf_async.replica.answers import SERVER, Streamed, in_thread, page
from twf_async.replica.hits import HIT
from twf_async.replica.query import BadQuery, Query, read_query
from twf_async.replica.scripts import SCRIPTS, FilterScript
from twf_async.replica.tree import COM, FileMessage, FileTree, Unreadable


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """Where NOMADS has been seen to differ.

    latency_s       real seconds before an answer (NOMADS: 1-20)
    no_match_error  True: 500 with a text where no message matches, False: 200 without a byte
    """

    latency_s: float = 0.0
    no_match_error: bool = False


class GribFilter:
    """Answers every filter script over the files of a tree."""

    def __init__(self, tree: FileTree, options: FilterOptions) -> None:
        self._tree = tree
        self._options = options

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer with messages, a browse page, or the script's error."""
        name = request.match_info["script"]
        script = SCRIPTS.get(name)
        if script is None:
            return page(pages.not_found(request.path), status=404)
        try:
            query = read_query(request.query)
        except BadQuery as error:
            return _failed(str(error))
        try:
            if query.browses:
                return await self._browse(name, script, query)
            return await self._extract(request, script, query)
        except PermissionError:
            return page(pages.forbidden(request.path), status=403)

    async def _extract(
        self, request: web.Request, script: FilterScript, query: Query
    ) -> web.StreamResponse:
        if self._options.latency_s:
            await asyncio.sleep(self._options.latency_s)
        if not script.file.fullmatch(query.file):
            return _failed(f"bad file name: {query.file}")
        below = f"{script.tree}{query.directory}/{query.file}"
        path = f"{COM}/{below}"
        messages = await asyncio.to_thread(self._tree.messages, path)
        if messages is None:
            return page(pages.data_file_missing(below), status=404)
        chosen = query.chosen(messages)
        if not chosen and self._options.no_match_error:
            return _failed("no matching records")
        if query.box is None:
            content = in_thread(self._originals(path, chosen))
        else:
            content = in_thread(self._tree.cropped(path, chosen, query.box))
        try:
            # Before the status is sent, so that a message that cannot be read gives a 500.
            first = await anext(content, b"")
        except Unreadable as error:
            return _failed(str(error))
        hit = request[HIT]
        hit.file, hit.box = path, "" if query.box is None else str(query.box)
        entry = await asyncio.to_thread(self._tree.stat, path)
        hit.version = f"{entry.size}-{entry.mtime}" if entry is not None else ""
        hit.spans = tuple((m.offset, m.offset + m.length) for m in chosen)
        headers = {**SERVER, "Content-Type": "application/octet-stream"}
        return Streamed(_rejoined(first, content), headers=headers, length=None)

    def _originals(self, path: str, chosen: tuple[FileMessage, ...]) -> Iterator[bytes]:
        for message in chosen:
            yield from self._tree.open_range(path, message.offset, message.offset + message.length)

    async def _browse(self, name: str, script: FilterScript, query: Query) -> web.Response:
        below = f"{script.tree}{query.directory}"
        if query.file:
            messages = await asyncio.to_thread(self._tree.messages, f"{COM}/{below}/{query.file}")
            if messages is None:
                return page(pages.data_file_missing(f"{below}/{query.file}"), status=404)
            return page(pages.filter_form(name, query.directory, query.file, messages))
        entries = await asyncio.to_thread(self._tree.listdir, f"{COM}/{below}")
        if entries is None:
            return page(pages.data_file_missing(below), status=404)
        entries = sorted(entries, key=lambda entry: entry.name)
        if directories := [entry.name for entry in reversed(entries) if entry.is_dir]:
            return page(pages.filter_directories(name, query.directory, directories))
        files = [entry.name for entry in entries if script.file.fullmatch(entry.name)]
        return page(pages.filter_files(name, query.directory, files))


async def _rejoined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


def _failed(text: str) -> web.Response:
    return web.Response(status=500, text=f"g2sub: {text}\n", headers=SERVER)
