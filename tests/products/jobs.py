"""Jobs as the planner and the pipeline make them, from files that lie where a test put them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from render_farm.domain.fields import MessageKey
from render_farm.domain.jobs import MessageSource, ProductTask, RenderJob
from render_farm.domain.models import Model
from render_farm.domain.places import Region
from twf_async.plan.orders import ProductOrder, product_order, products_of
from twf_async.settings.catalog import Catalog


def job_of(
    catalog: Catalog,
    model: Model,
    cycle: str,
    hour: int,
    *,
    products: Iterable[str],
    lies: Mapping[int, Mapping[MessageKey, str]],
    region: Region,
    directory: Path,
    **more: object,
) -> RenderJob:
    """The job for those of *products* that exist at the hour."""
    tasks = []
    for product in products_of(catalog, model, products):
        order = product_order(product, model, hour)
        if isinstance(order, ProductOrder):
            inputs = {
                role: tuple(MessageSource(lies[at][key], key) for at, key in needs)
                for role, needs in order.inputs.items()
            }
            scales = {role: catalog.scales[key] for role, key in product.scales.items()}
            tasks.append(ProductTask(product, scales, inputs, (region.key,)))
    return RenderJob(
        model=model.key,
        model_title=model.title,
        cycle=cycle,
        hour=hour,
        tasks=tuple(tasks),
        regions=(region,),
        stations=catalog.stations,
        style=catalog.style,
        staging_dir=str(directory / "staging"),
        map_cache_dir=str(directory / "maps"),
        **more,
    )
