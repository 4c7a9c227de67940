"""What the benchmark draws: jobs of one or several models, from files or the demo atmosphere."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.context import BaseContext
from pathlib import Path

from render_farm.domain.jobs import RenderJob
from twf_async.app.demo_files import DEMO_HOURS, write_demo_files
from twf_async.app.localjobs import Wanted, local_jobs, model_of, read_files, resized
from twf_async.errors import BadInput
from twf_async.plan.orders import products_of
from twf_async.settings.load import Settings


@dataclass(frozen=True, slots=True)
class BenchOrder:
    """What was asked for.

    files     none: the demo atmosphere
    products  None: all of every model
    """

    files: tuple[Path, ...]
    regions: tuple[str, ...]
    products: tuple[str, ...] | None = None
    model: str | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ModelJobs:
    """One model's jobs: every product once, at the latest hour that has it.

    jobs     that with the most products first
    missing  one sentence for each product that the files do not have
    """

    model: str
    jobs: tuple[RenderJob, ...]
    missing: tuple[str, ...]

    @property
    def hour(self) -> RenderJob:
        """The job that stands for a whole hour."""
        return self.jobs[0]


def bench_jobs(
    settings: Settings, order: BenchOrder, context: BaseContext, directory: Path
) -> tuple[ModelJobs, ...]:
    """The jobs to measure, below *directory*; BadInput where nothing can be drawn."""
    if order.files:
        files = _by_model(settings, order)
    else:
        files = write_demo_files(
            settings, DEMO_HOURS, order.products, order.regions, context, directory / "grib"
        )
    found = [_model_jobs(settings, order, key, paths, directory) for key, paths in files.items()]
    drawn = tuple(model for model in found if model.jobs)
    if not drawn:
        why = "; ".join(sentence for model in found for sentence in model.missing)
        raise BadInput(f"nothing to measure: {why or 'no model makes these products'}")
    return drawn


def _by_model(settings: Settings, order: BenchOrder) -> dict[str, tuple[Path, ...]]:
    files: dict[str, tuple[Path, ...]] = {}
    for path in order.files:
        key = model_of(settings, path, order.model).key
        files[key] = (*files.get(key, ()), path)
    return files


def _model_jobs(
    settings: Settings, order: BenchOrder, key: str, paths: tuple[Path, ...], directory: Path
) -> ModelJobs:
    model = settings.catalog.models[key]
    products = products_of(settings.catalog, model, order.products)
    wanted = Wanted(
        products,
        resized((settings.catalog.regions[region] for region in order.regions), order.size),
        directory / "staging",
        directory / "maps" / key,
    )
    hours = local_jobs(settings, model, read_files(paths), wanted) if products else ()
    jobs = tuple(_latest(hour.job for hour in reversed(hours) if hour.job is not None))
    drawn = {task.product.key for job in jobs for task in job.tasks}
    sentences = (s for hour in hours for s in (*hour.missing, *hour.not_applicable))
    why = {sentence.partition(" ")[0]: f"{key}: {sentence}" for sentence in sentences}  # the last
    left = tuple(why[product.key] for product in products if product.key not in drawn)
    return ModelJobs(key, tuple(sorted(jobs, key=lambda job: -len(job.tasks))), left)


def _latest(jobs: Iterable[RenderJob]) -> Iterator[RenderJob]:
    """The jobs, latest hour first, without the products that a later hour has."""
    seen: set[str] = set()
    for job in jobs:
        tasks = tuple(task for task in job.tasks if task.product.key not in seen)
        seen |= {task.product.key for task in tasks}
        if tasks:
            yield replace(job, tasks=tasks)


def only(job: RenderJob, *, products: int | None = None, regions: int | None = None) -> RenderJob:
    """The job with its first few products and regions."""
    keys = tuple(region.key for region in job.regions[:regions])
    tasks = tuple(replace(task, regions=keys) for task in job.tasks[:products])
    return replace(job, tasks=tasks, regions=job.regions[:regions])
