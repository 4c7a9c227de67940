"""How a gallery is laid out, before anything is drawn."""

import os
from pathlib import Path

import pytest

from twf_async.app.gallery import Shown, contact_sheet, index_html
from twf_async.settings.load import load


@pytest.fixture(scope="module")
def settings(config_dir):
    return load(config_dir, {k: v for k, v in os.environ.items() if not k.startswith("TWF_")})


def shown(model, product, region="pnw", title="A title"):
    path = Path(f"/out/{model}_2026012712_{region}_{product}_f030.png")
    return Shown(model, region, product, title, path, 1600, 1200)


def labels(sheet):
    return [thumbnail.label for thumbnail in sheet.thumbnails]


def test_the_models_of_a_product_stand_side_by_side(settings):
    pictures = (
        shown("hrrr", "t2m"),
        shown("gfs", "t2m"),
        shown("gfs", "refc"),
        shown("aigfs", "t2m"),
    )

    sheet = contact_sheet(settings, pictures, 100, Path("/out/sheet.png"))

    assert labels(sheet) == [
        *("gfs t2m", "aigfs t2m", "hrrr t2m"),
        *("gfs refc", "not made by aigfs", "not made by hrrr"),
    ]
    assert [t.path is None for t in sheet.thumbnails] == [False] * 4 + [True] * 2
    assert sheet.columns % 3 == 0
    assert sheet.ratio == 0.75


@pytest.mark.parametrize(
    ("models", "products", "columns"), [(3, 21, 9), (1, 11, 4), (2, 5, 4), (3, 1, 3)]
)
def test_a_sheet_comes_near_to_the_shape_of_a_screen(settings, models, products, columns):
    keys = [*settings.catalog.products][:products]
    names = ("gfs", "aigfs", "hrrr")[:models]
    pictures = tuple(shown(model, product) for product in keys for model in names)

    sheet = contact_sheet(settings, pictures, 100, Path("/out/sheet.png"))

    assert sheet.columns == columns
    assert len(sheet.thumbnails) == models * products


def test_a_gallery_of_one_picture_is_one_picture_wide(settings):
    sheet = contact_sheet(settings, (shown("gfs", "t2m"),), 100, Path("/out/sheet.png"))

    assert (sheet.columns, len(sheet.thumbnails)) == (1, 1)


def test_the_page_shows_every_picture_and_says_what_is_missing():
    page = index_html([shown("gfs", "t2m", title="Hot & cold")], ["hrrr: refc: <missing>"])

    assert '<img src="gfs_2026012712_pnw_t2m_f030.png"' in page
    assert "Hot &amp; cold" in page
    assert "<li>hrrr: refc: &lt;missing&gt;</li>" in page
    assert "/out/" not in page  # the folder can be moved
