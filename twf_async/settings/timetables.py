"""Whether what is said of a model's cycles, hours and files adds up. Pure.

A fault here would not stop the service: it would wait for hours that cannot come, draw one file
under the names of many hours, or call a run complete of which there is nothing.
"""

from collections.abc import Iterator

from render_farm.domain.models import Model, ModelFile
from twf_async.settings.quantities import is_http

_ONE = {"date": "20260129", "cc": "12", "hour": 6}
_OTHER = {"date": "20260130", "cc": "18", "hour": 7}

_SHARED = {
    "{date}": "every day would have the same file",
    "{cc}": "all cycles of a day would have the same file",
    "{hour:03d}": "all hours would have the same file",
}


def faults(model: Model) -> Iterator[tuple[str, str]]:
    """Key of the model, and a sentence."""
    for key in ("products", "regions"):
        if model.enabled and not getattr(model, key):
            yield (
                key,
                "it is empty, so nothing would be drawn; switch a model off by enabled = false",
            )
    yield from _of_cycles(model)
    yield from _of_waiting(model)
    yield from _of_files(model)


def _of_cycles(model: Model) -> Iterator[tuple[str, str]]:
    odd = sorted(set(model.long_cycles) - set(model.cycles))
    if odd:
        yield "long_cycles", f"{odd[0]} is none of its cycles"
    if model.long_cycles and not model.long_hours:
        yield "long_hours", "it is missing: long_cycles have no hours without it"


def _of_waiting(model: Model) -> Iterator[tuple[str, str]]:
    ends = [part.to for part in model.cadence]
    if ends != sorted(set(ends)):
        told = ", ".join(map(str, ends))
        yield "cadence", f"each `to` must be above the one before, but they are {told}"
    if model.first_hour_min >= model.gives_up_min:
        told = f"{model.gives_up_min:g} is not above first_hour_min, {model.first_hour_min:g}"
        yield "gives_up_min", f"{told}: every hour would be given up before it can come"


def _of_files(model: Model) -> Iterator[tuple[str, str]]:
    if model.aws_root and not is_http(model.aws_root):
        told = f"{model.aws_root!r} is no address"
        yield "aws_root", f"{told}; write it as 'https://host', '' where there is no mirror"
    for number, file in enumerate(model.files, 1):
        for field in _lacking(file, several=len(set(model.cycles)) > 1):
            yield f"files {number}.path", f"{file.path!r} lacks {field}: {_SHARED[field]}"


def _lacking(file: ModelFile, *, several: bool) -> Iterator[str]:
    """What a template needs to name one file for one hour. several: there are cycles to tell."""
    needed = {"date": "{date}", "hour": "{hour:03d}"} | ({"cc": "{cc}"} if several else {})
    for name, told in needed.items():
        other = {**_ONE, name: _OTHER[name]}
        if file.path.format(**_ONE) == file.path.format(**other):
            yield told
