"""The texts inside a frame's PNG: what it shows and what it was made from."""

from datetime import timedelta

from render_farm.domain.jobs import ProductTask
from render_farm.draw.captions import Captions, cycle_time
from render_farm.render.inputs import Offsets
from render_farm.render.scene import Scene

SOFTWARE = "twf_async"


def texts_of(
    scene: Scene, task: ProductTask, captions: Captions, offsets: Offsets
) -> dict[str, str]:
    """Keyword -> text. Depends on the frame alone, so equal frames have equal bytes."""
    job = scene.job
    valid = cycle_time(job.cycle) + timedelta(hours=job.hour)
    used = dict.fromkeys(s for group in task.inputs.values() for s in group if s in offsets)
    sources = [f"{s.key}@{offsets[s]}" for s in used]
    texts = {
        "Title": f"{captions.title[0]}, {scene.region.title}",
        "Software": SOFTWARE,
        "Source": "; ".join(sources),
        "Disclaimer": job.style.credit,
        "model": job.model,
        "cycle": job.cycle,
        "hour": f"f{job.hour:03d}",
        "valid_time": f"{valid:%Y-%m-%dT%H:%MZ}",
        "product": scene.product.key,
        "region": scene.region.key,
        "unit": scene.display.unit,
    }
    if job.notice:
        texts["notice"] = job.notice
    return texts
