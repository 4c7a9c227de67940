"""Draws every product of every model, full size, with contact sheets and an index to look at."""

import math
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from html import escape
from multiprocessing.context import BaseContext
from pathlib import Path

from render_farm.domain.contactsheet import ContactSheet, Thumbnail
from render_farm.domain.jobs import HourFailed, HourRendered
from render_farm.worker import entry
from twf_async.app.localjobs import faults
from twf_async.app.oneoff import rendered, worker
from twf_async.app.showcase import RunJobs
from twf_async.errors import BadInput
from twf_async.farm.boot import ask_once
from twf_async.publish.manifest import hour_name
from twf_async.settings.load import Settings

WIDE_PX, SMALL_PX = 380, 164
SHAPE = 1.6  # width of a sheet by its height
SHEET, SMALL_SHEET, INDEX = "contact-sheet.png", "contact-sheet-small.png", "index.html"


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of the gallery."""

    model: str
    region: str
    product: str
    title: str
    path: Path
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Gallery:
    """What was made. missing: one sentence for each map that could not be drawn."""

    pictures: tuple[Shown, ...]
    sheet: Path
    small_sheet: Path
    index: Path
    missing: tuple[str, ...]


def make_gallery(
    settings: Settings,
    runs: tuple[RunJobs, ...],
    out: Path,
    context: BaseContext,
    say: Callable[[str], None],
) -> Gallery:
    """Draw all *runs* into *out*: pictures, contact sheets, index.html.

    OSError; BadInput where not one picture could be drawn.
    """
    out.mkdir(parents=True, exist_ok=True)
    shown: list[Shown] = []
    missing = [sentence for run in runs for sentence in run.missing]
    with worker(settings, context) as executor:
        for run in runs:
            count = sum(len(job.tasks) for job in run.jobs)
            say(f"{run.model} {run.cycle}: {count} product{'s' * (count != 1)}")
            for job in run.jobs:
                outcome = rendered(executor, job)
                missing += [f"{run.model}: {fault}" for fault in faults(outcome)]
                shown += _collected(settings, outcome, out)
    if not shown:
        raise BadInput(f"nothing could be drawn: {'; '.join(missing)}")
    ordered = tuple(sorted(shown, key=partial(_place, settings)))
    for name, width_px in ((SHEET, WIDE_PX), (SMALL_SHEET, SMALL_PX)):
        sheet = contact_sheet(settings, ordered, width_px, out / name)
        ask_once(context, partial(entry.contact_sheet, sheet))
    (out / INDEX).write_text(index_html(ordered, missing), encoding="utf-8")
    return Gallery(ordered, out / SHEET, out / SMALL_SHEET, out / INDEX, tuple(missing))


def contact_sheet(
    settings: Settings, pictures: tuple[Shown, ...], width_px: int, target: Path
) -> ContactSheet:
    """All pictures, a product's models side by side; a model without the product leaves a gap."""
    models = sorted({p.model for p in pictures}, key=lambda key: settings.catalog.models[key].order)
    kinds = dict.fromkeys((p.region, p.product) for p in pictures)
    places = {(p.region, p.product, p.model): p for p in pictures}
    thumbnails = [
        _thumbnail(places.get((region, product, model)), model, product)
        for region, product in kinds
        for model in models
    ]
    ratio = max(p.height_px / p.width_px for p in pictures)
    # Products to a row, each with all its models, so that the sheet comes near to its shape.
    together = round(math.sqrt(len(kinds) * SHAPE * ratio / len(models)))
    columns = len(models) * min(max(together, 1), len(kinds))
    return ContactSheet(tuple(thumbnails), columns, width_px, ratio, str(target))


def index_html(pictures: Iterable[Shown], missing: Iterable[str]) -> str:
    """A page that shows every picture, and says what is missing."""
    figures = "\n".join(
        f'<figure><a href="{escape(p.path.name)}"><img src="{escape(p.path.name)}" loading="lazy"'
        f' alt="{escape(p.title)}"></a><figcaption>{escape(p.model)} {escape(p.region)}'
        f" <b>{escape(p.product)}</b> {escape(p.title)}</figcaption></figure>"
        for p in pictures
    )
    sentences = "\n".join(f"<li>{escape(sentence)}</li>" for sentence in missing)
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Gallery</title>\n'
        "<style>body{font:14px system-ui;margin:1rem}img{width:100%}figure{margin:0}"
        "main{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(32rem,1fr))}"
        f"</style>\n<main>\n{figures}\n</main>\n<ul>\n{sentences}\n</ul>\n</html>\n"
    )


def _collected(settings: Settings, outcome: HourRendered | HourFailed, out: Path) -> list[Shown]:
    if isinstance(outcome, HourFailed):
        return []
    found = []
    for frame in outcome.frames:
        at = f"{outcome.model}_{outcome.cycle}_{frame.region}_{frame.product}"
        target = out / f"{at}_{hour_name(outcome.hour)}.png"
        shutil.move(frame.path, target)  # the staging directory may lie on another disk
        product = settings.catalog.products[frame.product].for_model(outcome.model)
        found.append(
            Shown(
                outcome.model,
                frame.region,
                frame.product,
                product.title,
                target,
                frame.width_px,
                frame.height_px,
            )
        )
    return found


def _place(settings: Settings, shown: Shown) -> tuple[str, int, str, int, str]:
    catalog = settings.catalog
    product, model = catalog.products[shown.product], catalog.models[shown.model]
    return shown.region, product.order, product.key, model.order, shown.path.name


def _thumbnail(shown: Shown | None, model: str, product: str) -> Thumbnail:
    if shown is None:
        return Thumbnail(f"not made by {model}", None)
    return Thumbnail(f"{model} {product}", str(shown.path))
