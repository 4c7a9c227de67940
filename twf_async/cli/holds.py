"""What a command says while nothing may start: why, where that is, and what helps."""

import re

from twf_async.app.directories import DIRECTORIES
from twf_async.settings.service import ServiceSettings

_MENDS = {
    "disk is read-only": "let it be written again, or name another directory",
    "disk nearly full": "make room, or name another directory",
    "disk can hold hardly any more files": "delete files there, or name another directory",
}


def hold_told(reason: str, service: ServiceSettings) -> str:
    """The sentence for a hold; reason: as the gate has it, "" where it has none any more."""
    if not reason:
        return "going on"
    mends = [mend for fault, mend in _MENDS.items() if fault in reason]
    reason = re.sub(
        "|".join(DIRECTORIES), lambda key: f"{key[0]} {getattr(service, key[0])}", reason
    )
    return "; ".join([f"waiting: {reason}", *mends[:1]])
