"""The texts inside a frame's PNG: what it shows, what it was made from, and with what.

Equal frames have equal texts: no time, no host, no directory. Whoever has the same messages, the
same configuration and the same libraries can make the same file, bit for bit.
"""

from datetime import timedelta
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath

import pyproj

from render_farm.domain.confighash import ConfigHashes
from render_farm.domain.jobs import ProductTask, RenderJob
from render_farm.domain.places import Region
from render_farm.draw.captions import Captions, cycle_time
from render_farm.render.inputs import Offsets
from render_farm.render.scene import Scene

# Everything that pixels or bytes depend on: decoding, arithmetic, drawing, glyphs, compression.
LIBRARIES = (
    "eccodes",
    "eccodeslib",
    "numpy",
    "opencv-python-headless",
    "contourpy",
    "pyproj",
    "matplotlib",
    "deflate",
    "tzdata",
)


def texts_of(
    scene: Scene, task: ProductTask, captions: Captions, offsets: Offsets
) -> dict[str, str]:
    """Keyword -> text of a frame.

    Source  one line per message, `FILE:OFFSET:VAR:LEVEL:FORECAST`: the file as the worker had it,
            and the byte in it at which the message begins
    """
    job = scene.job
    valid = cycle_time(job.cycle) + timedelta(hours=job.hour)
    used = dict.fromkeys(s for group in task.inputs.values() for s in group if s in offsets)
    texts = {
        "Title": f"{captions.title[0]}, {scene.region.title}",
        "Software": job.software,
        "Source": "\n".join(f"{PurePath(s.path).name}:{offsets[s]}:{s.key}" for s in used),
        "Disclaimer": job.style.credit,
        "model": job.model,
        "cycle": job.cycle,
        "hour": f"f{job.hour:03d}",
        "valid_time": f"{valid:%Y-%m-%dT%H:%MZ}",
        "product": scene.product.key,
        "region": scene.region.key,
        "unit": scene.display.unit,
        "config_hash": config_hash(job, task, scene.region),
        "libraries": libraries(),
    }
    if job.notice:
        texts["notice"] = job.notice
    return texts


def config_hash(job: RenderJob, task: ProductTask, region: Region) -> str:
    """A digest of everything configured that determines this frame, 16 hex digits.

    Taken from the job alone, so that the service and a drawing by hand agree: the product as the
    model makes it, its scales as they are shown, the region with its size, stations where their
    values are written, style, counties and notice.
    """
    hashes = ConfigHashes(
        (job.model, job.model_title),
        stations=job.stations,
        style=job.style,
        counties=job.counties,
        notice=job.notice,
    )
    return hashes.of(task.product, task.scales, region)


@cache
def libraries() -> str:
    """Names and versions of what draws, `numpy 2.4.6; ...`."""
    found = [f"PROJ {pyproj.__proj_version__}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # opencv comes under several names
            continue
    return "; ".join(found)
