"""Whether what an operator describes fits together: one sentence for each name that leads nowhere.

Each begins with its file and its key. Entries that cannot be read at all are told elsewhere
(`load.py`); their keys still count as known here, so that one mistake is told once.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from render_farm.domain.fields import FieldSpec
from render_farm.domain.layers import HatchLayer, LineLayer
from render_farm.domain.levels import surfaces
from render_farm.domain.models import Model
from render_farm.domain.parameters import parameter, parameters
from render_farm.domain.places import Region
from render_farm.domain.products import Product
from render_farm.domain.recipes import RECIPE_FACES, RecipeFace
from render_farm.domain.scales import Scale
from twf_async.settings import timetables
from twf_async.settings.wording import nearest

_UNNAMED = "var discipline="
_LISTED = 40  # names at most


@dataclass(frozen=True, slots=True)
class Described:
    """What was read of models, regions, products and scales, and every key of their files."""

    models: Mapping[str, Model]
    regions: Mapping[str, Region]
    products: Mapping[str, Product]
    scales: Mapping[str, Scale]
    keys: Mapping[str, Collection[str]] = field(default_factory=dict)

    def known(self, file: str) -> Collection[str]:
        """The keys of a file's entries, those that could not be read among them."""
        found: Mapping[str, object] = getattr(self, file)
        return self.keys.get(file, found)


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """The sentence for a name that there is not, with the nearest there is, else with all."""
    near = nearest(name, known)
    if near is not None:
        return f"there is no {what}{name!r}; did you mean {near!r}?"
    listed = ", ".join(sorted(known)[:_LISTED]) or "none"
    return f"there is no {what}{name!r}; there are: {listed}"


def faults(described: Described) -> Iterator[str]:
    """Every name that leads nowhere."""
    for model in described.models.values():
        yield from _of_model(model, described)
    for product in described.products.values():
        where = f"products.toml: {product.key}"
        yield from _of_scales(where, product.scales, described)
        for key, variant in product.models.items():
            if key not in described.known("models"):
                yield f"{where}.models: {unknown('', key, described.known('models'))}"
            yield from _of_scales(f"{where}.models.{key}", variant.scales or {}, described)
        yield from _of_product(product, described)


def _of_scales(where: str, scales: Mapping[str, str], described: Described) -> Iterator[str]:
    for role, scale in scales.items():
        if scale not in described.known("scales"):
            yield f"{where}.scales.{role}: {unknown('', scale, described.known('scales'))}"


def _of_model(model: Model, described: Described) -> Iterator[str]:
    where = f"models.toml: {model.key}"
    for file in ("products", "regions"):
        for key in getattr(model, file):
            if key not in described.known(file):
                yield f"{where}.{file}: {unknown('', key, described.known(file))}"
    for asked, own in model.aliases.items():
        for text in (asked, own):
            name, _, level = text.partition(":")
            for fault in _of_field(FieldSpec(name, level)):
                yield f"{where}.aliases: {text!r}: {fault}"
    for key, fault in timetables.faults(model):
        yield f"{where}.{key}: {fault}"


def _of_product(product: Product, described: Described) -> Iterator[str]:
    """Faults of the product itself, and of the variants where they bring something of their own."""
    told: set[str] = set()
    versions = [("", product)] + [
        (f".models.{key}", product.for_model(key))
        for key in product.models
        if key in described.known("models")
    ]
    yield from _of_scale_roles(product, [version for _, version in versions])
    for suffix, version in versions:
        for place, fault in _of_version(version):
            if fault not in told:
                told.add(fault)
                yield f"products.toml: {product.key}{suffix}.{place}: {fault}"


def _of_scale_roles(product: Product, versions: list[Product]) -> Iterator[str]:
    """Scales are of all versions: one of their recipes has to have a use for each."""
    faces = [RECIPE_FACES[v.recipe] for v in versions if v.recipe in RECIPE_FACES]
    known = ["fill", *dict.fromkeys(role for face in faces for role in face.categories)]
    for role in product.scales:
        if role not in known and len(faces) == len(versions):
            told = unknown("role ", role, known)
            yield f"products.toml: {product.key}.scales: of its recipe {told}"


def _of_version(product: Product) -> Iterator[tuple[str, str]]:
    for role, spec in product.fields.items():
        for fault in _of_field(spec):
            yield f"fields.{role}", fault
    for role in product.optional:
        if role not in product.fields:
            yield "optional", unknown("field ", role, product.fields)
    face = RECIPE_FACES.get(product.recipe)
    if face is None:
        yield "recipe", unknown("recipe ", product.recipe, RECIPE_FACES)
        return
    yield from _of_roles(product, face)
    yield from _of_layers(product, face)


def _of_roles(product: Product, face: RecipeFace) -> Iterator[tuple[str, str]]:
    lacking = face.lacking(product.fields)
    useless = set() if face.hands_on or face.takes_any else product.fields.keys() - face.used
    for role in sorted(useless):
        lacking -= set(difflib.get_close_matches(role, lacking, n=1))  # misspelt: told once
        told = unknown("role ", role, face.used)
        yield f"fields.{role}", f"recipe {product.recipe!r} has no use for it: {told}"
    if lacking:
        names = ", ".join(sorted(lacking))
        yield "fields", f"recipe {product.recipe!r} needs {names} as well"


def _of_layers(product: Product, face: RecipeFace) -> Iterator[tuple[str, str]]:
    grids = face.grids(product.fields)
    drawn: tuple[tuple[str, tuple[LineLayer | HatchLayer, ...]], ...] = (
        ("lines", product.lines),
        ("hatching", product.hatching),
    )
    for name, layers in drawn:
        for number, layer in enumerate(layers, 1):
            if layer.field not in grids and not layer.optional:
                told = unknown("grid ", layer.field, grids)
                yield f"{name} {number}.field", f"of recipe {product.recipe!r} {told}"
    if product.wind is not None and not {"u", "v"} <= grids:
        yield "wind", f"recipe {product.recipe!r} makes no wind: it needs the fields u and v"


def _of_field(spec: FieldSpec) -> Iterator[str]:
    if parameter(spec.parameter) is None and not spec.parameter.startswith(_UNNAMED):
        told = unknown("parameter ", spec.parameter, parameters()).partition("; there are:")[0]
        yield (
            f"{told} (the names are wgrib2's; a parameter without one is written as an inventory"
            f" has it: '{_UNNAMED}0 center=7 local_table=1 parmcat=16 parm=201')"
        )
    if surfaces(spec.level) is None:
        yield (
            f"{spec.level!r} is no level; write it as the inventory does: '2 m above ground',"
            " '850 mb', 'surface', 'mean sea level'"
        )
