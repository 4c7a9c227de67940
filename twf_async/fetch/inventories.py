"""Reads `.idx` files and remembers them for a while: who probed an hour need not ask again."""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from twf_async.fetch.answers import last_modified
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import BadIndex
from twf_async.fetch.host import Tally
from twf_async.fetch.transport import Transport
from twf_async.plan.idx import LONGEST, IdxError, IdxLine, parse_idx

_KEPT = 64
_FRESH_S = 300.0


@dataclass(frozen=True, slots=True)
class Inventory:
    """What the other side said that a file holds. digest: of its text; other data, another text."""

    lines: tuple[IdxLine, ...]
    modified_at: datetime | None
    digest: str


@dataclass(frozen=True, slots=True)
class _Known:
    """An inventory that was read, as text: the lines of a GFS file would take ten times as much."""

    read_s: float
    text: str
    modified_at: datetime | None
    digest: str

    def inventory(self) -> Inventory:
        return Inventory(parse_idx(self.text), self.modified_at, self.digest)


class Inventories:
    """The inventories of files, by URL."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._unpaid: dict[str, Tally] = {}
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def read(self, errand: Errand) -> tuple[IdxLine, ...]:
        """The lines of `whole`; whoever goes by them bears what asking for them has cost."""
        inventory = await self.whole(errand)
        cost = self._unpaid.pop(errand.at.idx_url, None)
        if cost is not None and cost is not errand.tally:
            errand.tally.requests += cost.requests
            errand.tally.received_bytes += cost.received_bytes
        return inventory.lines

    async def whole(self, errand: Errand) -> Inventory:
        """The file's inventory, asked for at most once; from memory if it was read just now.

        raises  SourceError; BadIndex where there is one that cannot be used
        """
        url = errand.at.idx_url
        now = asyncio.get_running_loop().time()
        known = self._known.get(url)
        if known is not None and now - known.read_s < _FRESH_S:
            return known.inventory()
        text, inventory = await self._ask(url, errand)
        self._known[url] = _Known(now, text, inventory.modified_at, inventory.digest)
        self._unpaid[url] = errand.tally
        self._known.move_to_end(url)
        self._forget_old(now)
        return inventory

    def digest(self, errand: Errand) -> str:
        """Of the inventory that was read last; "" where none is remembered."""
        known = self._known.get(errand.at.idx_url)
        return "" if known is None else known.digest

    def _forget_old(self, now: float) -> None:
        """What nobody will be told any more, and the oldest of what is too much."""
        for url, known in list(self._known.items()):
            if len(self._known) <= _KEPT and now - known.read_s < _FRESH_S:
                return
            del self._known[url]
            self._unpaid.pop(url, None)

    def forget(self, errand: Errand) -> None:
        """Have it read again: it does not fit the file."""
        self._known.pop(errand.at.idx_url, None)
        self._unpaid.pop(errand.at.idx_url, None)  # nobody will go by it

    async def _ask(self, url: str, errand: Errand) -> tuple[str, Inventory]:
        body = bytearray()
        host = errand.at.source.host
        async with self._transport.ask(host, errand.request(url), errand.tally) as answer:
            modified_at = host.skew.by_ours(last_modified(answer.headers))
            async for chunk in answer.chunks():
                body += chunk
                if len(body) > LONGEST:
                    raise BadIndex(f"{url}: over {LONGEST} bytes long")
        text = body.decode("ascii", "replace")
        try:
            lines = parse_idx(text)
        except IdxError as error:
            raise BadIndex(f"{url}: {error}") from error
        if lines[0].cycle != errand.at.cycle:
            raise BadIndex(f"{url}: of cycle {lines[0].cycle}")
        return text, Inventory(lines, modified_at, hashlib.sha256(body).hexdigest()[:16])
