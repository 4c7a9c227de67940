"""What is needed to draw one product of a job for one region, gathered in one place."""

from dataclasses import dataclass

from render_farm.derive.derived import Derived
from render_farm.domain.jobs import ProductTask, RenderJob
from render_farm.domain.places import Region
from render_farm.domain.products import Product
from render_farm.domain.scales import Display
from render_farm.draw.fill import Classes, classes_of
from render_farm.draw.layout import Layout, layout
from render_farm.draw.legend import LegendBar
from render_farm.draw.linescale import counted_in, layer_at
from render_farm.draw.palette import GROUNDS, Ground
from render_farm.draw.viewport import Viewport
from render_farm.render.caches import Caches


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One frame to be drawn.

    product   as it is drawn: its lines as close as the region asks, numbers in the site's units
    classes   of the scales that this frame uses: "fill" first, then those of the categories
    roles     the roles of those scales, in the same order
    """

    job: RenderJob
    product: Product
    derived: Derived
    region: Region
    viewport: Viewport
    layout: Layout
    classes: Classes
    roles: tuple[str, ...]
    legends: tuple[LegendBar, ...]
    ground: Ground
    caches: Caches

    @property
    def display(self) -> Display:
        """How the fill is shown where no category says otherwise."""
        return self.classes.scales[0]

    @property
    def rect(self) -> tuple[int, int]:
        """(width, height) of the map in px."""
        return self.viewport.rect.width, self.viewport.rect.height


def scene(
    job: RenderJob, task: ProductTask, derived: Derived, region: Region, caches: Caches
) -> Scene:
    """Gather what drawing needs; ValueError where the region cannot be shown in its projection."""
    viewport = Viewport.of(region)
    span_km = viewport.km_per_px() * min(viewport.rect.width, viewport.rect.height)
    fill = task.scales["fill"].display(job.style)
    lines = tuple(layer_at(counted_in(layer, fill), span_km) for layer in task.product.lines)
    values = task.product.stations
    stations = None if values is None else values.in_units(job.style.units)
    product = task.product.model_copy(update={"lines": lines, "stations": stations})
    categories = derived.roles if derived.category is not None else ()
    roles = ("fill", *(role for role in categories if role in product.scales))
    scales = [task.scales[role] for role in roles]
    displays = [scale.display(job.style) for scale in scales]
    legends = tuple(
        LegendBar(scale.title if len(scales) > 1 else "", display.unit, display)
        for scale, display in zip(scales, displays, strict=True)
    )
    return Scene(
        job=job,
        product=product,
        derived=derived,
        region=region,
        viewport=viewport,
        layout=layout(region.width_px, region.height_px),
        classes=classes_of(tuple(displays)),
        roles=roles,
        legends=legends,
        ground=GROUNDS[job.style.base],
        caches=caches,
    )
