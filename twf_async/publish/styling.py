"""Which frames of a run were drawn by an earlier configuration, and which nobody wants any more."""

from collections.abc import Collection, Mapping

from twf_async.publish.document import RunDocument
from twf_async.publish.manifest import FrameName, FrameState, hour_name


def restyle(document: RunDocument, styles: Mapping[tuple[str, str], str]) -> bool:
    """Mark the frames online that would be drawn otherwise now, and unmark the others.

    styles   (region, product) -> config hash of now; what is not in it is left as it is
    returns  whether a mark has changed

    A frame that says no hash (of a version that wrote none) counts as current: without a reason
    nothing is drawn twice.
    """
    changed = False
    for (region, product), style in styles.items():
        for record in document.frames.get(region, {}).get(product, {}).values():
            if record["state"] != FrameState.PUBLISHED.value:
                continue
            is_old = record.get("config_hash", style) != style
            if is_old != record.get("old_style", False):
                changed = True
                if is_old:
                    record["old_style"] = True
                else:
                    del record["old_style"]
    return changed


def of_old_style(document: RunDocument) -> frozenset[FrameName]:
    """The frames that are marked so."""
    return frozenset(
        (region, product, int(name[1:]))
        for region, products in document.frames.items()
        for product, hours in products.items()
        for name, record in hours.items()
        if record.get("old_style", False)
    )


def forget_unplanned(
    document: RunDocument,
    hours: Collection[int],
    regions: Collection[str],
    products: Collection[str],
) -> bool:
    """Expect nothing but these frames any more; what is online stays. Says if anything changed."""
    planned = {hour_name(hour) for hour in hours}
    before = (document.hours, document.regions, document.products)
    gone = 0
    for region, of_region in document.frames.items():
        for product, of_product in of_region.items():
            wanted = planned if region in regions and product in products else set()
            lost = [
                name
                for name, record in of_product.items()
                if name not in wanted and record["state"] != FrameState.PUBLISHED.value
            ]
            for name in lost:
                del of_product[name]
            gone += len(lost)
    document.frames = {
        region: filled
        for region, of_region in document.frames.items()
        if (filled := {product: names for product, names in of_region.items() if names})
    }
    left = {
        (region, product, name)
        for region, of_region in document.frames.items()
        for product, names in of_region.items()
        for name in names
    }
    document.regions = _kept(document.regions, {*regions, *(region for region, *_ in left)})
    document.products = _kept(document.products, {*products, *(kind for _, kind, _ in left)})
    shown = {int(name[1:]) for *_, name in left}
    document.hours = tuple(hour for hour in document.hours if hour in shown or hour in hours)
    return gone > 0 or before != (document.hours, document.regions, document.products)


def _kept(known: tuple[str, ...], wanted: Collection[str]) -> tuple[str, ...]:
    return tuple(key for key in known if key in wanted)
