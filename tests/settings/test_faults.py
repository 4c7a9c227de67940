"""Every mistake in TOML is told in one sentence: the file, the key, and what was meant."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from render_farm.domain.recipes import RECIPE_FACES
from twf_async.errors import BadConfiguration
from twf_async.settings.load import load


@pytest.fixture
def copy(config_dir, tmp_path) -> Path:
    return Path(shutil.copytree(config_dir, tmp_path / "config"))


def told(copy) -> list[str]:
    with pytest.raises(BadConfiguration) as caught:
        load(copy, {})
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{copy}/") for line in lines)
    return [line.removeprefix(f"{copy}/") for line in lines]


def append(copy, file, text):
    path = copy / file
    path.write_text(f"{path.read_text()}\n{text}\n")


VIS = '[vis]\ntitle = "Visibility"\nrecipe = "identity"\nfields = { value = "VIS:surface" }\n'
SCALE = (
    '[mine]\ntitle = "Mine"\nsi_unit = "m"\n[mine.metric]\nunit = "m"\nlevels = [0, 1]\n'
    'colours = ["#000000"]\n[mine.imperial]\nunit = "m"\n'
)
BOX = (
    '[x]\ntitle = "X"\nwest = -125\neast = -116\nsouth = 41\nnorth = 46\n'
    'projection = "lambert_conformal"\n'
)
MISTAKES = {
    "scale of a product": (
        "products.toml",
        VIS + 'scales = { fill = "precipitaton" }',
        "products.toml: vis.scales.fill: there is no 'precipitaton'; did you mean 'precipitation'",
    ),
    "scale of a variant": (
        "products.toml",
        VIS + 'scales = { fill = "wind" }\n[vis.models.hrrr]\nscales = { fill = "wnid" }',
        "products.toml: vis.models.hrrr.scales.fill: there is no 'wnid'; did you mean 'wind'",
    ),
    "recipe": (
        "products.toml",
        VIS.replace("identity", "widn_speed") + 'scales = { fill = "wind" }',
        "products.toml: vis.recipe: there is no recipe 'widn_speed'; did you mean 'wind_speed'",
    ),
    "parameter": (
        "products.toml",
        VIS.replace("VIS:", "VSI:") + 'scales = { fill = "wind" }',
        "products.toml: vis.fields.value: there is no parameter 'VSI'; did you mean 'V",
    ),
    "level": (
        "products.toml",
        VIS.replace(":surface", ":surfac") + 'scales = { fill = "wind" }',
        "products.toml: vis.fields.value: 'surfac' is no level",
    ),
    "grid of a line": (
        "products.toml",
        VIS + 'scales = { fill = "wind" }\nlines = [{ field = "fil", unit = "m", step = 1 }]',
        (
            "products.toml: vis.lines 1.field: of recipe 'identity' there is no grid 'fil';"
            " did you mean 'fill'"
        ),
    ),
    "wind without components": (
        "products.toml",
        VIS + 'scales = { fill = "wind" }\nwind = { style = "barbs" }',
        "products.toml: vis.wind: recipe 'identity' makes no wind",
    ),
    "role that is missing": (
        "products.toml",
        VIS.replace("identity", "window") + 'scales = { fill = "wind" }',
        "products.toml: vis.fields: recipe 'window' needs earlier as well",
    ),
    "role by which another goes on": (
        "products.toml",
        VIS.replace("value =", "valu =") + 'scales = { fill = "wind" }',
        "products.toml: vis.fields: recipe 'identity' needs value as well",
    ),
    "role of no use": (
        "products.toml",
        VIS.replace("identity", "snow_from_water").replace("value =", "watr =")
        + 'scales = { fill = "snowfall" }',
        (
            "products.toml: vis.fields.watr: recipe 'snow_from_water' has no use for it:"
            " there is no role 'watr'; did you mean 'water'"
        ),
    ),
    "optional role": (
        "products.toml",
        VIS + 'scales = { fill = "wind" }\noptional = ["valu"]',
        "products.toml: vis.optional: there is no field 'valu'; did you mean 'value'",
    ),
    "role of a scale": (
        "products.toml",
        VIS + 'scales = { fill = "wind", snow = "snowfall" }',
        "products.toml: vis.scales: of its recipe there is no role 'snow'",
    ),
    "key of a product": (
        "products.toml",
        VIS + 'scales = { fill = "wind" }\nsamplin = "linear"',
        "products.toml: vis.samplin: unknown key; did you mean 'sampling'?",
    ),
    "key of a line": (
        "products.toml",
        VIS
        + 'scales = { fill = "wind" }\n'
        + 'lines = [{ field = "fill", unit = "m", step = 1, colour = ["#000000"] }]',
        "products.toml: vis.lines.1.colour: unknown key; did you mean 'colours'?",
    ),
    "step of lines": (
        "products.toml",
        VIS
        + 'scales = { fill = "wind" }\n'
        + 'lines = [{ field = "fill", unit = "m", step = 1e-9 }]',
        "products.toml: vis.lines.1.step: 1e-09 is not a number from 1e-06 to 1000000",
    ),
    "choice": (
        "products.toml",
        VIS + 'scales = { fill = "wind" }\nsampling = "lienar"',
        "'lienar' is none of 'cubic', 'linear', 'nearest'; did you mean 'linear'?",
    ),
    "colour": (
        "scales.toml",
        SCALE + 'levels = [0, 1]\ncolours = ["red"]',
        "scales.toml: mine.imperial.colours.1: 'red' is not a colour as '#1f2fbf'",
    ),
    "colours that do not fit the levels": (
        "scales.toml",
        SCALE + 'levels = [0, 1, 2]\ncolours = ["#000000"]',
        "scales.toml: mine.imperial: 3 levels need 2 colours, not 1",
    ),
    "levels that do not rise": (
        "scales.toml",
        SCALE + 'levels = [0, 2, 1]\ncolours = ["#000000", "#000000"]',
        "scales.toml: mine.imperial: levels must be at least two, rising",
    ),
    "edge of a region": (
        "regions.toml",
        '[x]\ntitle = "X"\nwest = 1\neast = 2\nsouth = 3',
        "regions.toml: x.north: it is missing",
    ),
    "projection": (
        "regions.toml",
        '[x]\ntitle = "X"\nwest = 1\neast = 2\nsouth = 3\nnorth = 4\nprojection = "mercater"',
        "did you mean 'mercator'?",
    ),
    "longitude of 0..360": (
        "regions.toml",
        '[x]\ntitle = "X"\nwest = 235\neast = 20\nsouth = 30\nnorth = 40',
        "regions.toml: x.west: 235 is not a number from -180 to 180",
    ),
    "time zone": (
        "regions.toml",
        '[x]\ntitle = "X"\nwest = 1\neast = 2\nsouth = 3\nnorth = 4\ntimezone = "Europe/Pariss"',
        "regions.toml: x.timezone: 'Europe/Pariss' is no time zone; did you mean 'Europe/Paris'?",
    ),
    "no size at all": (
        "regions.toml",
        BOX + "width_px = 0",
        "regions.toml: x.width_px: 0 is not a whole number from 200 to 8000",
    ),
    "a cone that is none": (
        "regions.toml",
        BOX + "standard_parallels = [30, -30]",
        "regions.toml: x: no lambert_conformal is true at 30 and -30 degrees",
    ),
    "beyond the pole": (
        "regions.toml",
        BOX + "central_latitude = 135",
        "regions.toml: x.central_latitude: 135 is not a number from -90 to 90",
    ),
    "no number": (
        "scales.toml",
        SCALE + 'levels = [0, 1]\ncolours = ["#000000"]\noffset = inf',
        "scales.toml: mine.imperial.offset: inf is not a finite number",
    ),
    "key": (
        "regions.toml",
        '["My Region"]\ntitle = "X"\nwest = 1\neast = 2\nsouth = 3\nnorth = 4',
        "'My Region' is not a key: small letters",
    ),
    "station": (
        "stations.toml",
        '[[stations]]\nname = "Nowhere"\nlatitude = 97.0\nlongitude = 3.0',
        "(Nowhere).latitude: 97.0 is not a number from -90 to 90",
    ),
    "level that is none": (
        "scales.toml",
        SCALE + 'levels = [0, [1]]\ncolours = ["#000000"]',
        "mine.imperial.levels: level [1] is neither a number nor 'A..B step S'",
    ),
    "list too short": (
        "scales.toml",
        SCALE + "levels = [0, 1]\nanchors = [[0]]",
        "scales.toml: mine.imperial.anchors.1.2: it is missing",
    ),
    "parallels": (
        "regions.toml",
        BOX + "standard_parallels = [30, 95]",
        (
            "regions.toml: x.standard_parallels: [30, 95] is neither a list of 2 entries, each a"
            " number from -90 to 90 nor a list of one entry, a number from -90 to 90"
        ),
    ),
    "list of another name": (
        "stations.toml",
        '[[station]]\nname = "Nowhere"\nlatitude = 7.0\nlongitude = 3.0',
        "stations.toml: station: unknown key; a station begins with [[stations]]",
    ),
    "key of a station": (
        "stations.toml",
        '[[stations]]\nname = "Nowhere"\nlatitude = 7.0\nlongitude = 3.0\nrnak = 1',
        "(Nowhere).rnak: unknown key; did you mean 'rank'?",
    ),
}


@pytest.mark.parametrize(("file", "text", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence_with_what_was_meant(file, text, expected, copy):
    append(copy, file, text)

    (line,) = told(copy)

    assert line.startswith(f"{file}: ")
    assert expected in line


def test_mistakes_of_every_kind_are_told_at_once(copy):
    """What cannot be read hides neither names that lead nowhere nor what a recipe cannot make."""
    append(copy, "regions.toml", MISTAKES["edge of a region"][1])
    append(copy, "products.toml", MISTAKES["recipe"][1])
    append(copy, "scales.toml", MISTAKES["colour"][1])
    models = copy / "models.toml"
    models.write_text(models.read_text().replace('["pnw"]', '["pnw", "x", "pwn"]', 1))

    lines = told(copy)

    assert len(lines) == 4, lines
    assert [line.partition(":")[0] for line in lines] == [
        "regions.toml",
        "scales.toml",
        "models.toml",
        "products.toml",
    ]
    assert "there is no 'pwn'; did you mean 'pnw'" in lines[2]


def test_a_variant_of_a_model_is_checked_as_that_model_makes_it(copy):
    products = copy / "products.toml"
    text = products.read_text()
    assert 'w = "DZDT:700 mb"' in text
    products.write_text(text.replace(', w = "DZDT:700 mb"', ""))

    (line,) = told(copy)

    assert "rh700.models.hrrr.lines 1.field" in line
    assert "'humidity_from_dewpoint' there is no grid 'omega'" in line


def test_the_table_of_recipes_is_that_of_the_recipes():
    """Each is run on fields of the roles that the table names; its grids are those it names."""
    from render_farm.derive.recipes import RECIPES
    from tests.derive.fieldsmith import LATLON, field

    assert RECIPE_FACES.keys() == RECIPES.keys()
    ramp = np.add.outer(np.arange(3.0), np.arange(4.0)) + 280
    for name, face in RECIPE_FACES.items():
        for needed in face.needs:
            roles = needed | face.takes | ({"height"} if face.hands_on else set())
            fields = {role: (_of(field, role, ramp, LATLON),) for role in roles}
            if face.takes_any:
                fields |= {"t850": (_of(field, "value", ramp, LATLON),)}
            made = RECIPES[name](fields)
            assert made.arrays.keys() == face.grids(fields), name
            assert set(made.roles) == set(face.categories), name
            assert not face.lacking(roles)


def _of(field, role, ramp, grid):
    from dataclasses import replace

    flags = {"rain", "snow", "sleet", "freezing_rain"}
    totals = {"amount", "earlier", "water"}
    value = 0.5 if role in flags else ramp - 280 if role in totals else ramp
    window = {"start_h": 0, "end_h": 6} if role in totals else {}
    made = field(value, grid, **window)
    return replace(made, key=replace(made.key, level="700 mb"))


@pytest.mark.parametrize(("file", "first"), [("models.toml", "rap"), ("regions.toml", "custom")])
def test_the_examples_in_the_comments_are_right(file, first, copy):
    """Uncommented, they are one more model and one more region."""
    path = copy / file
    text = path.read_text()
    _, mark, example = text.partition(f"# [{first}]\n")
    assert mark
    lines = (mark + example).splitlines()
    path.write_text(text + "\n" + "\n".join(line.removeprefix("# ") for line in lines) + "\n")

    catalog = load(copy, {}).catalog

    assert first in getattr(catalog, path.stem)
