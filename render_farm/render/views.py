"""What of the earth a job's maps look at: fields are cut to it as they are decoded."""

from pyproj.exceptions import ProjError

from render_farm.derive.smoothing import REACH
from render_farm.domain.jobs import RenderJob
from render_farm.domain.places import Box
from render_farm.domain.products import Product
from render_farm.draw.contours import MARGIN_SIGMAS
from render_farm.draw.viewbox import VIEW_MARGIN_DEG, shown_box
from render_farm.draw.viewport import Viewport

KM_PER_DEGREE = 111.2


def boxes_of(job: RenderJob) -> tuple[Box, ...]:
    """The box of each region of *job*, with room for what its lines and fields are smoothed over.

    None at all, which means the whole earth, where a region cannot be shown in its projection:
    its frames will say so.
    """
    reach_km = max((_reach_km(task.product) for task in job.tasks), default=0.0)
    margin = max(VIEW_MARGIN_DEG, VIEW_MARGIN_DEG / 4 + reach_km / KM_PER_DEGREE)
    try:
        return tuple(shown_box(Viewport.of(region), round(margin, 2)) for region in job.regions)
    except (ValueError, ProjError):
        return ()


def _reach_km(product: Product) -> float:
    """How far beyond the map lie values that smoothing brings into it."""
    lines_km = max((line.smooth_km for line in product.lines), default=0.0)
    return REACH * product.smooth_km + MARGIN_SIGMAS * lines_km
