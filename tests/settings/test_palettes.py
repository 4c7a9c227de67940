"""Maps with more colours or levels than a picture holds are told before anything is drawn."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from render_farm.worker import entry
from tests.integration.service import unhurried
from tests.settings.test_load import edit
from twf_async.app.in_force import InForce, Steps
from twf_async.errors import BadConfiguration
from twf_async.settings import palettes
from twf_async.settings.load import load

USUAL, FINE = '"-40..120 step 2.5"', '"-40..120 step 0.64"'  # 251 levels


@pytest.fixture
def copy(config_dir, tmp_path) -> Path:
    return Path(shutil.copytree(config_dir, tmp_path / "config"))


def drawn(settings):
    shown = palettes.displays(settings.catalog)
    return dict(zip(shown, entry.bin_colours(tuple(shown.values())), strict=True))


def refused(copy):
    settings = load(copy, {})
    assert palettes.may_be_too_many(settings.catalog)
    with pytest.raises(BadConfiguration) as caught:
        palettes.require_room(settings, drawn(settings))
    return [line.removeprefix(f"{copy}/") for line in str(caught.value).splitlines()]


def test_the_shipped_maps_fit_in_either_palette_and_no_worker_is_asked(config_dir):
    for palette in ("traditional", "accessible"):
        settings = load(config_dir, {"TWF_STYLE__PALETTE": palette})
        assert not palettes.may_be_too_many(settings.catalog)
        palettes.require_room(settings, drawn(settings))


def test_a_scale_of_too_many_colours_is_named_with_the_product_that_uses_it(copy):
    edit(copy, "scales.toml", USUAL, FINE)

    (told,) = refused(copy)

    assert told.startswith("products.toml: t2m.scales: ")
    assert "colours are too many for one map (200 can be); choose larger steps for their" in told
    assert told.endswith("levels in scales.toml (temperature)")


def test_bins_of_one_colour_count_once(copy):
    edit(copy, "scales.toml", USUAL, FINE)
    settings = load(copy, {})
    assert palettes.may_be_too_many(settings.catalog)

    palettes.require_room(settings, {"temperature": ("", *["#112233"] * 251)})


def test_the_scales_of_a_model_alone_are_told_as_its_own(copy):
    edit(copy, "scales.toml", USUAL, FINE)
    edit(copy, "products.toml", 'fill = "temperature" }', 'fill = "dewpoint" }')
    with (copy / "products.toml").open("a") as products:
        products.write('\n[t2m.models.gfs]\nscales = { fill = "temperature" }\n')

    (told,) = refused(copy)

    assert told.startswith("products.toml: t2m.models.gfs.scales: ")


def test_check_config_refuses_them(copy):
    edit(copy, "scales.toml", USUAL, FINE)

    done = subprocess.run(
        [sys.executable, "-m", "twf_async", "check-config", "--config", copy],
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout) == (78, "")
    assert unhurried(done.stderr).startswith(f"{copy}/products.toml: t2m.scales: ")


async def test_a_reload_refuses_them(copy, config_dir):
    edit(copy, "scales.toml", USUAL, FINE)
    fresh = load(copy, {})
    before = load(config_dir, {})
    in_force = InForce(before)

    async def colours(settings):
        return drawn(settings)

    async def never(_):
        pytest.fail("it was taken")

    steps = Steps(lambda: fresh, colours, never, never)
    with pytest.raises(BadConfiguration, match="products.toml: t2m.scales"):
        await in_force.reload(steps)
    assert in_force.settings() is before
