"""Every product once: of some files, or of the demo atmosphere. For benchmark and gallery."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.context import BaseContext
from pathlib import Path

from render_farm.domain.jobs import RenderJob
from twf_async.app.demo_files import DEMO_HOURS, NOTICE, write_demo_files
from twf_async.app.localjobs import Wanted, local_jobs, model_of, read_files, resized
from twf_async.errors import BadInput
from twf_async.plan.local import LocalFile
from twf_async.plan.orders import products_of
from twf_async.settings.load import Settings

Run = tuple[str, str]  # model, cycle


@dataclass(frozen=True, slots=True)
class DrawAll:
    """What was asked for.

    files     none: the demo atmosphere
    products  None: all of every model
    model     of files whose name does not tell it
    """

    files: tuple[Path, ...]
    regions: tuple[str, ...]
    products: tuple[str, ...] | None = None
    model: str | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class RunJobs:
    """One run's jobs: every product once, at the latest hour that has it.

    jobs     that with the most products first
    missing  one sentence for each product that the files do not have
    """

    model: str
    cycle: str
    jobs: tuple[RenderJob, ...]
    missing: tuple[str, ...]

    @property
    def hour(self) -> RenderJob:
        """The job that stands for a whole hour."""
        return self.jobs[0]


def all_jobs(
    settings: Settings, order: DrawAll, context: BaseContext, directory: Path
) -> tuple[RunJobs, ...]:
    """The jobs of every run, with all their files below *directory*.

    BadInput for files that cannot be used, and where nothing can be drawn.
    """
    notice = settings.service.notice
    if order.files:
        files = _by_run(settings, order)
    else:
        files = _demo(settings, order, context, directory / "grib")
        notice = notice or NOTICE
    found = [_run_jobs(settings, order, run, held, directory) for run, held in files.items()]
    # As in the service: a total goes on with what was added up before.
    sums = str(directory / "increments")
    drawn = [_completed(run, notice, sums) for run in found if run.jobs]
    if not drawn:
        why = "; ".join(sentence for run in found for sentence in run.missing)
        raise BadInput(f"nothing can be drawn: {why or 'no model makes these products'}")
    # What a run without any job has not, is told all the same.
    missing = tuple(sentence for run in found if not run.jobs for sentence in run.missing)
    drawn[-1] = replace(drawn[-1], missing=drawn[-1].missing + missing)
    return tuple(drawn)


def _demo(
    settings: Settings, order: DrawAll, context: BaseContext, directory: Path
) -> dict[Run, tuple[LocalFile, ...]]:
    made = write_demo_files(settings, DEMO_HOURS, order.products, order.regions, context, directory)
    held = {model: read_files(paths) for model, paths in made.items() if paths}
    return {(model, files[0].cycle): files for model, files in held.items()}


def _by_run(settings: Settings, order: DrawAll) -> dict[Run, tuple[LocalFile, ...]]:
    files: dict[Run, tuple[LocalFile, ...]] = {}
    for path in order.files:
        (file,) = read_files([path])
        model = model_of(settings, file, order.model).key
        files[model, file.cycle] = (*files.get((model, file.cycle), ()), file)
    return files


def _completed(run: RunJobs, notice: str, sums: str) -> RunJobs:
    jobs = (replace(job, notice=notice, increment_dir=sums) for job in run.jobs)
    return replace(run, jobs=tuple(jobs))


def _run_jobs(
    settings: Settings, order: DrawAll, run: Run, files: tuple[LocalFile, ...], directory: Path
) -> RunJobs:
    key, cycle = run
    model = settings.catalog.models[key]
    products = products_of(settings.catalog, model, order.products)
    wanted = Wanted(
        products,
        resized((settings.catalog.regions[region] for region in order.regions), order.size),
        directory / "staging" / key / cycle,
        directory / "maps" / key / cycle,
    )
    hours = local_jobs(settings, model, files, wanted) if products else ()
    jobs = tuple(_latest(hour.job for hour in reversed(hours) if hour.job is not None))
    drawn = {task.product.key for job in jobs for task in job.tasks}
    sentences = (s for hour in hours for s in (*hour.missing, *hour.not_applicable))
    why = {sentence.partition(" ")[0]: f"{key}: {sentence}" for sentence in sentences}  # the last
    left = tuple(why[product.key] for product in products if product.key not in drawn)
    return RunJobs(key, cycle, tuple(sorted(jobs, key=lambda job: -len(job.tasks))), left)


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
