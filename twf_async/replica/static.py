"""Static files and directory listings under /pub: what Apache does on NOMADS (nomads.md 2.4)."""

import asyncio

from aiohttp import web

from twf_async.replica import pages
from twf_async.replica.answers import HEADERS, page
from twf_async.replica.file_answers import FileRequest, StaticOptions, answer_file
from twf_async.replica.tree import Entry, FileTree


class StaticFiles:
    """Answers GET and HEAD for every path of a tree."""

    def __init__(self, tree: FileTree, options: StaticOptions) -> None:
        self._tree = tree
        self._options = options

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer with a file, a part of it, a listing, or Apache's error page."""
        path = request.path
        names = path.split("/")
        if ".." in names or "." in names or "" in names[1:-1]:
            return page(pages.not_found(path), status=404)
        try:
            entry = await asyncio.to_thread(self._tree.stat, path.rstrip("/"))
            if entry is None or (path.endswith("/") and not entry.is_dir):
                return page(pages.not_found(path), status=404)
            if not entry.is_dir:
                return self._file(request, entry)
            if not path.endswith("/"):
                location = f"{request.rel_url.raw_path}/"
                headers = {"Location": location}
                return page(pages.moved(location), status=301, headers=headers)
            entries = await asyncio.to_thread(self._tree.listdir, path.rstrip("/"))
        except PermissionError:
            return page(pages.forbidden(path), status=403)
        return page(pages.listing(path.rstrip("/"), entries or ()))

    def _file(self, request: web.Request, entry: Entry) -> web.StreamResponse:
        answer = answer_file(
            self._tree, FileRequest(request, request.path, entry, self._options), HEADERS
        )
        if answer is not None:
            return answer
        beyond = {"Content-Range": f"bytes */{entry.size}", **HEADERS}
        return web.Response(status=416, headers=beyond)
