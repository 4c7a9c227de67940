"""Configuration: files, environment, and faults that name file and key."""

import itertools
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from render_farm.domain.layers import HatchLayer, LineLayer, StationValues, WindLayer
from render_farm.domain.models import Cadence, GridSize, Model, ModelFile
from render_farm.domain.places import Region, Station
from render_farm.domain.products import ModelVariant, Product
from render_farm.domain.scales import Display, Scale
from render_farm.domain.style import Style
from twf_async.app.restart import FIXED
from twf_async.errors import BadConfiguration
from twf_async.settings import environment, files
from twf_async.settings.files import find_config_dir, find_state_dir
from twf_async.settings.load import load
from twf_async.settings.service import ServiceSettings


@pytest.fixture
def copy(config_dir, tmp_path) -> Path:
    return Path(shutil.copytree(config_dir, tmp_path / "config"))


def edit(directory: Path, file: str, old: str, new: str) -> None:
    path = directory / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_shipped_configuration_runs_gfs_aigfs_and_hrrr_for_pnw(config_dir):
    catalog = load(config_dir, {}).catalog

    assert [model.key for model in catalog.enabled_models] == ["gfs", "aigfs", "hrrr"]
    assert all("pnw" in model.regions for model in catalog.enabled_models)


def test_hours_are_those_of_the_models(config_dir):
    models = load(config_dir, {}).catalog.models

    assert len(models["gfs"].hours_of(0)) == 85
    assert len(models["aigfs"].hours_of(6)) == 65
    assert models["hrrr"].hours_of(17) == tuple(range(19))
    assert models["hrrr"].hours_of(18) == tuple(range(49))


def test_the_environment_beats_the_files(config_dir):
    service = load(
        config_dir,
        {"TWF_WEB__PORT": "8123", "TWF_STATE_DIR": "/srv/twf", "TWF_LOGS__LEVEL": "debug"},
    ).service

    assert service.web.port == 8123
    assert service.state_dir == Path("/srv/twf")
    assert service.logs.level == "debug"


def test_the_environment_reaches_into_the_catalog(config_dir):
    catalog = load(config_dir, {"TWF_MODELS__AIGFS__ENABLED": "false"}).catalog

    assert [model.key for model in catalog.enabled_models] == ["gfs", "hrrr"]


def test_another_nomads_switches_the_real_mirror_off(config_dir):
    plain = load(config_dir, {}).service.upstream
    url = "http://127.0.0.1:8901"
    rehearsal = load(config_dir, {"TWF_UPSTREAM__NOMADS_URL": url}).service.upstream
    both = {"TWF_UPSTREAM__NOMADS_URL": url, "TWF_UPSTREAM__AWS_URL": "http://127.0.0.1:1"}

    assert plain.aws_url == "auto"
    assert (rehearsal.nomads_url, rehearsal.aws_url) == (url, "")
    assert load(config_dir, both).service.upstream.aws_url == "http://127.0.0.1:1"


def test_systemd_directories_are_used(config_dir):
    environ = {"STATE_DIRECTORY": "/var/lib/twf-async", "CACHE_DIRECTORY": "/var/cache/twf-async"}
    service = load(config_dir, environ).service

    assert service.state_dir == Path("/var/lib/twf-async")
    assert service.publish_dir == Path("/var/lib/twf-async/publish")
    assert service.cache_dir == Path("/var/cache/twf-async")


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("service.toml", "port = 8000", "prot = 8000", "service.toml: web.prot: unknown key"),
        ("service.toml", "port = 8000", "port = 80000", "service.toml: web.port: .*65535"),
        ("service.toml", "[web]", "[web", "service.toml: not valid TOML"),
        ("service.toml", "= 60 ", "= 150 ", "upstream: requests_per_min is 150.* above 100"),
        (
            "models.toml",
            '"t2m", ',
            '"t2n", ',
            "models.toml: gfs.products: there is no 't2n'; did you mean 't2m'",
        ),
        ("models.toml", '"0-384/6"', '"384-0/6"', "models.toml: aigfs.hours: .*do not rise"),
        ("models.toml", '"0-384/6"', '"0-999999999/6"', "aigfs.hours: .* go beyond 999"),
        (
            "models.toml",
            '"0-120/3,126-384/6"',
            '"0-120/3"\nlong_cycles = [0, 5]\nlong_hours = "0-384/6"',
            "gfs.long_cycles: 5 is none of its cycles",
        ),
        ("models.toml", 'long_hours     = "0-48"', "", "hrrr.long_hours: it is missing"),
        ("models.toml", "{ to = 18,", "{ to = 50,", "hrrr.cadence: .* they are 50, 48"),
        (
            "models.toml",
            'regions  = ["pnw"]',
            "regions = []",
            "gfs.regions: it is empty, so nothing",
        ),
        ("models.toml", "[hrrr]", '[hrrr]\nkey = "gfs"', r"hrrr.key: 'gfs' is not its \[hrrr\]"),
        ("service.toml", '"var/publish"', '"var/cache/p"', "publish_dir: .* lies in cache_dir"),
        ("service.toml", '"var/state"', '"var/x/../cache"', "state_dir: .* lies in cache_dir"),
        ("service.toml", '"var/cache"', '"var/publish/maps/c"', "cache_dir: .* among the maps"),
        ("service.toml", '# allow_origin = "*"', 'allow_origin = "https://a/, b"', "is no site"),
        ("models.toml", "min = 205", "min = 360", "gfs.gives_up_min: 360 is not above .* 360"),
        ("models.toml", '"https://noaa-g', '"noaa-g', "gfs.aws_root: 'noaa-gfs.* is no address"),
        (
            "models.toml",
            ".f{hour:03d}",
            ".f006",
            "gfs.files 1.path: .* lacks {hour:03d}: all hours",
        ),
        ("regions.toml", '"Pacific Northwest"', '"P\\u0000"', "pnw.title: .*cannot be printed"),
        ("regions.toml", '"Pacific Northwest"', '" "', "pnw.title: it is empty"),
        (
            "scales.toml",
            "step 2.5",
            "step 0.000001",
            "temperature.imperial.levels: .* more than 255",
        ),
        (
            "scales.toml",
            '"-40..120 step 2.5"',
            '"0..0.0000004 step 0.0000002"',
            "temperature.imperial.levels: .* steps below 0.000001 are none",
        ),
        ("scales.toml", '"-40..120 ', '"-4.0.0..120 ', "imperial.levels: .* is neither a number"),
        (
            "regions.toml",
            "south               = 42.0",
            "south = 52.0",
            "regions.toml: pnw: .*south",
        ),
        ("products.toml", '"APCP:surface:0-H acc"', '"APCP:surface:0-H"', "precip_total.*acc, ave"),
        (
            "regions.toml",
            '"America/Los_Angeles"',
            '"America/Los_Angles"',
            "pnw.timezone: .*no time",
        ),
        ("regions.toml", "= -125.0", "= 10.0", "regions.toml: pnw: west 10.0 to east -110.0 spans"),
        ("service.toml", '# nomads_url = "https://', 'nomads_url = "', "nomads_url: .*no address"),
        ("products.toml", 'fill = "wind"', 'fill = "wnid"', "wind10m.*there is no 'wnid'"),
    ],
)
def test_a_fault_names_file_and_key(copy, file, old, new, told):
    edit(copy, file, old, new)

    with pytest.raises(BadConfiguration, match=told):
        load(copy, {})


def test_a_fault_from_the_environment_names_the_variable(config_dir):
    with pytest.raises(BadConfiguration, match="environment variable TWF_WEB__PORT: .*'eighty'"):
        load(config_dir, {"TWF_WEB__PORT": "eighty"})


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("TWF_WEB__PROT", "TWF_WEB__PORT"),
        ("TWF_WEBB__PORT", "TWF_WEB__PORT"),
        ("TWF_WEB_PORT", "TWF_WEB__PORT"),
        ("TWF_PORT", "TWF_WEB__PORT"),
        ("TWF_WEB__PORT__NUMBER", "TWF_WEB__PORT"),
        ("TWF_STATEDIR", "TWF_STATE_DIR"),
        ("TWF_STYLES__BASE", "TWF_STYLE__BASE"),
        ("TWF_MODEL__GFS__ENABLED", "TWF_MODELS__GFS__ENABLED"),
        ("TWF_MODELS__GFS__POLL", "TWF_MODELS__GFS__POLL_S"),
    ],
)
def test_a_misspelt_variable_is_told_with_the_one_that_was_meant(config_dir, variable, meant):
    with pytest.raises(BadConfiguration) as caught:
        load(config_dir, {variable: "8000"})

    told = f"environment variable {variable}: there is no such setting; did you mean {meant}?"
    assert str(caught.value) == told


def test_a_variable_like_no_setting_says_how_they_are_named(config_dir):
    with pytest.raises(BadConfiguration, match="no such setting; the names are TWF_SECTION__KEY"):
        load(config_dir, {"TWF_QQQQQQ": "8000"})


def test_a_variable_of_a_model_that_there_is_not_says_so_and_nothing_else(config_dir):
    with pytest.raises(BadConfiguration) as caught:
        load(config_dir, {"TWF_MODELS__GFX__ENABLED": "false"})

    told = "environment variable TWF_MODELS__GFX__ENABLED: in models.toml there is no 'gfx'"
    assert str(caught.value).startswith(f"{told}; did you mean 'gfs'?")
    assert "\n" not in str(caught.value)


def test_all_faults_are_told_at_once(copy):
    edit(copy, "service.toml", "port = 8000", "prot = 8000")
    edit(copy, "regions.toml", "timezone            =", "timezoen =")

    with pytest.raises(BadConfiguration) as caught:
        load(copy, {})

    assert len(str(caught.value).splitlines()) == 2


def test_every_name_that_leads_nowhere_is_told(copy):
    edit(copy, "models.toml", '"t2m", ', '"t2n", ')
    edit(copy, "models.toml", '["pnw"]', '["pwn"]')

    with pytest.raises(BadConfiguration) as caught:
        load(copy, {})

    told = str(caught.value).splitlines()
    assert len(told) == 2
    assert all(line.startswith(f"{copy}/models.toml: gfs.") for line in told)


def test_a_missing_file_is_named(copy):
    (copy / "regions.toml").unlink()

    with pytest.raises(BadConfiguration, match="regions.toml: the file is missing"):
        load(copy, {})


def test_no_configuration_at_all_says_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(BadConfiguration, match="--config or TWF_CONFIG"):
        find_config_dir(None, {})


names = st.from_regex(r"[a-z][a-z0-9]{0,8}(_[a-z0-9]{1,4})?", fullmatch=True)


@given(st.lists(names, min_size=1, max_size=4), st.integers() | st.booleans())
def test_a_variable_lands_at_the_path_it_spells(path, value):
    variable = "TWF_" + "__".join(path).upper()
    tree: dict = {}

    environment.apply(tree, environment.overrides({variable: str(value).lower()}))

    node = tree
    for name in path:
        node = node[name]
    assert node == value


def _values(environ):
    return [change.value for change in environment.overrides(environ).values()]


@given(st.text(max_size=40))
def test_a_text_that_is_no_literal_is_kept_whole(raw):
    (value,) = _values({"TWF_A__B": raw})

    if isinstance(value, str):
        assert value == raw or raw.strip()[:1] in {"'", '"'}


def test_a_value_of_several_lines_is_no_literal():
    (value,) = _values({"TWF_A__B": "1\nc = 2"})

    assert value == "1\nc = 2"


def test_variables_of_the_tests_are_no_settings(config_dir):
    named = ("CONFIG", "TEST_DATA", "CHROMIUM", "GOLDEN")

    load(config_dir, {f"TWF_{name}": "something" for name in named})


def test_a_running_service_is_found_whatever_else_is_wrong_with_its_configuration(copy):
    edit(copy, "products.toml", "recipe", "recipy")
    edit(copy, "service.toml", "port = 8000", 'port = "none"')

    assert find_state_dir(copy, {}) == Path("var/state")
    assert find_state_dir(copy, {"TWF_STATE_DIR": "/srv/a"}) == Path("/srv/a")
    assert find_state_dir(copy, {"STATE_DIRECTORY": "/srv/b"}) == Path("/srv/b")
    edit(copy, "service.toml", 'state_dir   = "var/state"', 'state_dir = "/srv/c"')
    assert find_state_dir(copy, {}) == Path("/srv/c")
    (copy / "service.toml").unlink()
    assert find_state_dir(copy, {}) == Path("var/state")


def test_the_service_of_etc_is_the_units_where_no_place_is_named(copy, monkeypatch):
    monkeypatch.setattr(files, "ETC", copy)

    assert find_state_dir(copy, {}) == Path("/var/lib/twf-async")
    edit(copy, "service.toml", 'state_dir   = "var/state"', 'state_dir = "/srv/twf"')
    assert find_state_dir(copy, {}) == Path("/srv/twf")


def described(path) -> dict[tuple[str, str], str]:
    """(section, key), in force or as a comment, with the rest of its line."""
    section, found = "", {}
    for line in path.read_text().splitlines():
        if heading := re.match(r"(?:# )?\[(\w+)\]", line):
            section = heading[1]
        elif key := re.match(r"(?:# )?(\w+) *= (.*)", line):
            found[section, key[1]] = key[2]
    return found


def test_every_setting_of_the_service_stands_in_the_file_that_is_shipped(config_dir):
    """Nobody should have to read code to find one."""
    whole = ServiceSettings()
    parts = {name: getattr(whole, name) for name in ServiceSettings.model_fields}
    wanted = {("", name) for name, value in parts.items() if not isinstance(value, BaseModel)}
    for name, value in parts.items():
        if isinstance(value, BaseModel):
            wanted |= {(name, key) for key in type(value).model_fields}
    assert described(config_dir / "service.toml").keys() == wanted


def test_the_file_that_is_shipped_marks_what_a_reload_does_not_change(config_dir):
    lines = described(config_dir / "service.toml")
    marked = {key for key, line in lines.items() if line.endswith("(at a start)")}

    fixed = {tuple(key.rpartition(".")[::2]) for key in FIXED if key != "clock"}
    assert marked == fixed | {key for key in lines if key[0] == "clock"}


ENTRIES = {
    "models": (Model, ModelFile, GridSize, Cadence),
    "regions": (Region,),
    "products": (Product, ModelVariant, LineLayer, HatchLayer, WindLayer, StationValues),
    "scales": (Scale, Display),
    "stations": (Station,),
    "style": (Style,),
}


@pytest.mark.parametrize("file", ENTRIES)
def test_every_key_of_an_entry_is_explained_at_the_head_of_its_file(config_dir, file):
    text = (config_dir / f"{file}.toml").read_text()
    head = "\n".join(itertools.takewhile(lambda line: line.startswith("#"), text.splitlines()))

    keys = {key for kind in ENTRIES[file] for key in kind.model_fields} - {"key"}
    assert {key for key in keys if not re.search(rf"\b{key}\b", head)} == set()


@pytest.mark.parametrize("units", ["imperial", "metric"])
def test_no_amount_is_written_where_the_map_is_bare(config_dir, units):
    """A `0.1` on ground without snow is a riddle: what is written begins where colour does."""
    catalog = load(config_dir, {}).catalog
    amounts = [p for p in catalog.products.values() if p.stations and p.stations.hide_below]

    assert {"precip_total", "snow_total", "snow_depth"} <= {product.key for product in amounts}
    for product in amounts:
        display = getattr(catalog.scales[product.scales["fill"]], units)
        assert not display.under
        assert product.stations.in_units(units).hide_below == display.levels[0], product.key
