"""Turns what of an hour can be drawn into the job that a worker gets. Pure."""

from collections.abc import Mapping
from pathlib import Path

from render_farm.domain.fields import MessageKey
from render_farm.domain.jobs import MessageSource, ProductTask, RenderJob
from render_farm.domain.models import Model
from twf_async import SOFTWARE
from twf_async.plan.orders import ProductOrder
from twf_async.plan.progress import Drawable
from twf_async.settings.load import Settings

Files = Mapping[int, Mapping[MessageKey, str]]  # hour of the file -> message -> path


def render_job(
    settings: Settings,
    model: Model,
    cycle: str,
    drawable: Drawable,
    *,
    regions: Mapping[str, tuple[str, ...]],
    files: Files,
    staging_dir: Path,
    map_cache_dir: Path,
) -> RenderJob:
    """The job for *drawable*. regions: product -> keys of the regions still to draw."""
    catalog = settings.catalog
    tasks = tuple(
        ProductTask(
            product=order.product,
            scales={role: catalog.scales[key] for role, key in order.product.scales.items()},
            inputs=_sources(order, files),
            regions=regions[order.product.key],
        )
        for order in drawable.orders
    )
    drawn = dict.fromkeys(key for task in tasks for key in task.regions)
    return RenderJob(
        model=model.key,
        model_title=model.title,
        cycle=cycle,
        hour=drawable.hour,
        tasks=tasks,
        regions=tuple(catalog.regions[key] for key in drawn),
        stations=catalog.stations,
        style=catalog.style,
        staging_dir=str(staging_dir),
        map_cache_dir=str(map_cache_dir),
        increment_dir=str(map_cache_dir.with_name("increments")),
        notice=settings.service.notice,
        log_level=settings.service.logs.level,
        software=SOFTWARE,
    )


def _sources(order: ProductOrder, files: Files) -> dict[str, tuple[MessageSource, ...]]:
    return {
        role: tuple(MessageSource(files[hour][key], key) for hour, key in needs)
        for role, needs in order.inputs.items()
    }
