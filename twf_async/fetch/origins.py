"""Holds the hours of a model to one origin: files of another one may lie under the right name.

That is told by the centre, and by whether it is a member of an ensemble. The generating process is
not held against anybody: GFS itself has one for its first hour and another for the rest, and every
upgrade of a model may bring a new one.
"""

from twf_async.fetch.alike import Alike
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import WrongOrigin
from twf_async.fetch.verify import Origin


class Origins:
    """Remembers where the fields of each model's files are from."""

    def __init__(self) -> None:
        self._alike: Alike[Origin] = Alike()

    def require(self, errand: Errand, origins: frozenset[Origin]) -> None:
        """Raise WrongOrigin for an hour whose fields are from elsewhere than those of others."""
        at = errand.at
        where = (at.model.key, at.file.path)
        if news := self._alike.strange(where, (at.cycle, at.hour), origins):
            known = _told(self._alike.known(where))
            raise WrongOrigin(f"fields of {_told(news)}, those of other hours are of {known}")


def _told(origins: frozenset[Origin]) -> str:
    return " and ".join(
        f"centre {center}{', a member of an ensemble' * member}"
        for center, member in sorted(origins)
    )
