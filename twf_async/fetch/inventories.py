"""Reads `.idx` files and remembers them for a while: who probed an hour need not ask again."""

import asyncio
from collections import OrderedDict

from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import BadIndex
from twf_async.fetch.transport import Transport
from twf_async.plan.idx import IdxError, IdxLine, parse_idx

_LARGEST_BYTES = 8 << 20
_KEPT = 64
_FRESH_S = 300.0


class Inventories:
    """The inventories of files, by URL."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._known: OrderedDict[str, tuple[float, tuple[IdxLine, ...]]] = OrderedDict()

    async def read(self, errand: Errand) -> tuple[IdxLine, ...]:
        """The file's inventory, asked for at most once; from memory if it was read just now.

        raises  SourceError; BadIndex where there is one that cannot be used
        """
        url = errand.at.idx_url
        now = asyncio.get_running_loop().time()
        read_at, lines = self._known.get(url, (0.0, ()))
        if lines and now - read_at < _FRESH_S:
            return lines
        lines = await self._ask(url, errand)
        self._known[url] = (now, lines)
        self._known.move_to_end(url)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return lines

    def forget(self, errand: Errand) -> None:
        """Have it read again: it does not fit the file."""
        self._known.pop(errand.at.idx_url, None)

    async def _ask(self, url: str, errand: Errand) -> tuple[IdxLine, ...]:
        text = bytearray()
        host = errand.at.source.host
        async with self._transport.get(host, errand.request(url), errand.tally) as answer:
            async for chunk in answer.chunks():
                text += chunk
                if len(text) > _LARGEST_BYTES:
                    raise BadIndex(f"{url}: over {_LARGEST_BYTES} bytes long")
        try:
            lines = parse_idx(text.decode("ascii", "replace"))
        except IdxError as error:
            raise BadIndex(f"{url}: {error}") from error
        if lines[0].cycle != errand.at.cycle:
            raise BadIndex(f"{url}: of cycle {lines[0].cycle}")
        return lines
