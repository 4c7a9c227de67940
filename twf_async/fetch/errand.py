"""One file of one hour at one source, wanted by one asker: what all requests about it share."""

from dataclasses import dataclass

from twf_async.fetch.sources import FileAt
from twf_async.fetch.transport import Request, Tally
from twf_async.plan.urls import file_path


@dataclass(frozen=True, slots=True)
class Errand:
    """Where the file is, and what asking for it has cost so far.

    recent  whether the run is too young to have been cleared away
    """

    at: FileAt
    recent: bool
    tally: Tally

    @property
    def name(self) -> str:
        """The file's path, for logs and digests: the same on every source."""
        return file_path(self.at.file, self.at.cycle, self.at.hour)

    def request(
        self, url: str, *, start: int | None = None, end: int | None = None, expected: int = 0
    ) -> Request:
        """One GET of this errand; *expected* bytes are for its deadline only."""
        return Request(url, self.at.model.key, start, end, self.recent, expected)
