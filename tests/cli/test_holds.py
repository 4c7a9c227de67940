"""What a command says while nothing may start."""

from pathlib import Path

import pytest

from twf_async.cli.holds import hold_told
from twf_async.settings.service import ServiceSettings

SERVICE = ServiceSettings(cache_dir=Path("/srv/cache"), publish_dir=Path("/srv/maps"))


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("disk is read-only: cache_dir", "cache_dir /srv/cache; let it be written again, or name"),
        (
            "disk nearly full: cache_dir, publish_dir",
            "cache_dir /srv/cache, publish_dir /srv/maps; make room, or name another directory",
        ),
        ("disk nearly full", "disk nearly full; make room, or name another directory"),
    ],
)
def test_a_disk_that_holds_a_command_is_named_with_its_place_and_what_helps(reason, told):
    assert told in hold_told(reason, SERVICE)


def test_other_holds_are_said_as_they_are_and_so_is_their_end():
    assert hold_told("memory is short", SERVICE) == "waiting: memory is short"
    assert hold_told("", SERVICE) == "going on"
