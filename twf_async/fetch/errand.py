"""One file of one hour at one source, wanted by one asker: what all requests about it share."""

from dataclasses import dataclass

from render_farm.domain.fields import MessageKey
from twf_async.fetch.host import Kind, Request, Tally
from twf_async.fetch.sources import FileAt
from twf_async.fetch.spans import Span
from twf_async.plan.selection import FILTER_REQUESTS
from twf_async.plan.urls import file_path


@dataclass(frozen=True, slots=True)
class Errand:
    """Where the file is, and what asking for it has cost so far.

    recent  whether the run is too young to have been cleared away
    splits  filter requests that the file may take at most
    held    fields of the hour that are here already
    """

    at: FileAt
    recent: bool
    tally: Tally
    splits: int = FILTER_REQUESTS
    held: frozenset[MessageKey] = frozenset()

    @property
    def name(self) -> str:
        """The file's path, for logs and digests: the same on every source."""
        return file_path(self.at.file, self.at.cycle, self.at.hour)

    def request(self, url: str, *, spans: tuple[Span, ...] = (), expected: int = 0) -> Request:
        """One GET of this errand; *expected* bytes are for its deadline only."""
        kind = self._kind(url, spans)
        return Request(url, self.at.model.key, kind, spans, self.recent, expected)

    def headers_request(self) -> Request:
        """One HEAD of the file: how long it is, and since when."""
        return Request(
            self.at.url, self.at.model.key, "INVENTORY", recent=self.recent, headers_only=True
        )

    def _kind(self, url: str, spans: tuple[Span, ...]) -> Kind:
        if url == self.at.idx_url:
            return "INVENTORY"
        if url != self.at.url:
            return "FILTERED"
        return "RANGES" if spans else "FULL"
