"""Sends a job away as bytes and lands what comes back. Blocking; call it in a thread."""

import hashlib
import os
from collections import defaultdict
from pathlib import Path

from render_farm.domain.fields import MessageKey
from render_farm.domain.jobs import HourFailed, HourRendered, RenderJob
from render_farm.domain.shipment import Returned, Shipment
from render_farm.domain.sparsefile import read_sparse, wanted_spans
from twf_async.errors import FarmError

MB = 1 << 20


class TooLarge(FarmError):
    """A job's messages are more than may be sent."""


class Spoilt(FarmError):
    """What came back is not what was sent off there."""


def ship(job: RenderJob, *, limit_mb: float) -> Shipment:
    """The job with what it reads of its files; one that cannot be read is the worker's to miss.

    raises  TooLarge, before anything was read into memory
    """
    keys: dict[str, set[MessageKey]] = defaultdict(set)
    for task in job.tasks:
        for sources in task.inputs.values():
            for source in sources:
                keys[source.path].add(source.key)
    wanted = []
    for path, of_file in keys.items():
        try:
            with Path(path).open("rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                wanted.append((path, wanted_spans(stream, size, of_file), size))
        except OSError:
            continue
    total = sum(end - begin for _, spans, _ in wanted for begin, end in spans)
    if total > limit_mb * MB:
        raise TooLarge(
            f"its messages are {total / MB:.0f} MB, more than farm.ship_limit_mb = {limit_mb:g}"
        )
    files = []
    for path, spans, size in wanted:
        try:
            files.append(read_sparse(path, spans, size))
        except OSError:
            continue
    return Shipment(job, tuple(files))


def land(job: RenderJob, returned: Returned) -> HourRendered | HourFailed:
    """Write what came back into the job's staging directory, complete and flushed.

    raises  Spoilt where a file is not what its frame says; OSError
    """
    outcome = returned.outcome
    if isinstance(outcome, HourFailed):
        return outcome
    staging = Path(job.staging_dir)
    staging.mkdir(parents=True, exist_ok=True)
    for frame in outcome.frames:
        for file in (frame, frame.values):
            if file is None:
                continue
            path = Path(file.path)
            content = returned.files.get(path.name, b"")
            if path.parent != staging or hashlib.sha256(content).hexdigest() != file.sha256:
                raise Spoilt(f"{path.name} did not come back as it was drawn")
            with path.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
    return outcome
