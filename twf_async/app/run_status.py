"""One run in the status document, from what the tree and the pipeline know of it. Pure."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from twf_async.publish.manifest import FrameState, RunState, hour_name


def resting(summary: Mapping[str, Any], drawn: AbstractSet[int]) -> dict[str, Any]:
    """What `pipeline.standing` would say of a run that nobody works on.

    summary  of the published tree
    drawn    hours with at least one frame online
    """
    counts = summary["counts"]
    missing = sorted(set(summary["hours"]) - drawn)
    ended = summary["state"] != RunState.RUNNING.value
    return {
        "frames": sum(counts.values()) - counts.get(FrameState.NOT_APPLICABLE.value, 0),
        "published": counts.get(FrameState.PUBLISHED.value, 0),
        "failed": counts.get(FrameState.FAILED.value, 0),
        "superseded": False,
        "pending": [] if ended else missing,
        "given_up": missing if ended else [],
        "etas": {},
    }


def run_entry(
    summary: Mapping[str, Any],
    standing: Mapping[str, Any],
    *,
    seen: AbstractSet[int],
    received_bytes: int,
) -> dict[str, Any]:
    """A run's entry. *standing*: of the pipeline, or `resting`; *seen*: hours found to be there."""
    hours = set(summary["hours"])
    pending, given_up = set(standing["pending"]) & hours, set(standing["given_up"]) & hours
    fetched = hours - pending - given_up
    return {
        "state": summary["state"],
        "superseded": standing["superseded"],
        "hours": {
            "expected": len(hours),
            "seen": len(fetched | (seen & hours)),
            "fetched": len(fetched),
            "pending": len(pending),
            "given_up": len(given_up),
        },
        "etas": {hour_name(h): standing["etas"].get(hour_name(h)) for h in sorted(pending)},
        "frames": {
            "expected": standing["frames"],
            "published": standing["published"],
            "failed": standing["failed"],
        },
        "received_bytes": received_bytes,
    }
