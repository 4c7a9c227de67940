"""Small maps of the synthetic atmosphere, drawn in this process: the same wherever it runs."""

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from render_farm.domain.style import Style
from render_farm.draw.viewbox import region_view
from render_farm.render.hour import render_hour
from tests.golden.comparing import RGB
from twf_async.app.demo_files import DEMO_HOURS, NOTICE, demo_request
from twf_async.app.localjobs import Wanted, local_jobs, read_files, resized
from twf_async.plan.boxes import union
from twf_async.plan.orders import products_of
from twf_async.replica.demo_files import FileOrder, write_files
from twf_async.settings.load import load

SIZE = (400, 300)


@dataclass(frozen=True)
class Golden:
    """One image: what is drawn, and how."""

    model: str
    product: str
    region: str
    base: str = "light"
    units: str = "imperial"
    palette: str = "traditional"
    cycle: str = DEMO_HOURS[0].cycle

    @property
    def name(self) -> str:
        return f"{self.model}-{self.product}-{self.region}-{self.base}-{self.units}-{self.palette}"


GOLDEN = (
    Golden("gfs", "mslp_ptype", "pnw"),
    Golden("gfs", "refc", "pnw", base="dark"),
    Golden("gfs", "t2m", "willamette_valley", units="metric"),
    Golden("gfs", "wind10m", "west", base="dark"),
    Golden("gfs", "cape", "conus", cycle="2026071418"),
    Golden("gfs", "z500_vort", "conus", palette="accessible"),
    Golden("gfs", "wind250", "west", units="metric"),
    Golden("gfs", "snow_kuchera", "pnw", palette="accessible"),
    Golden("gfs", "pwat", "conus", base="dark", units="metric"),
    Golden("aigfs", "t850", "west"),
    Golden("aigfs", "mslp_ptype", "conus", base="dark"),
    Golden("hrrr", "t2m", "puget_sound"),
    Golden("hrrr", "rh700", "pnw"),
)


@pytest.fixture(scope="session")
def demo_settings(config_dir, tmp_path_factory):
    return load(config_dir, {"TWF_CACHE_DIR": str(tmp_path_factory.mktemp("golden-cache"))})


@pytest.fixture(scope="session")
def demo_grib(demo_settings, tmp_path_factory):
    """The files of a model's cycle, with what the golden images of it need."""
    made = {}

    def of(model, cycle):
        if (model, cycle) not in made:
            wanted = [g for g in GOLDEN if (g.model, g.cycle) == (model, cycle)]
            regions = [demo_settings.catalog.regions[golden.region] for golden in wanted]
            (demo,) = (hour for hour in DEMO_HOURS if hour.model == model)
            request = demo_request(
                demo_settings,
                replace(demo, cycle=cycle),
                tuple(golden.product for golden in wanted),
                union(region_view(region).box for region in regions),
                tmp_path_factory.mktemp(model),
            )
            start = datetime.strptime(cycle, "%Y%m%d%H").replace(tzinfo=UTC)
            orders = [FileOrder.of(entry) for entry in request["files"]]
            write_files(start, Path(request["cache_dir"]), orders)
            held = [order.target for order in orders if order.target.exists()]
            made[model, cycle] = held
        return made[model, cycle]

    return of


@pytest.fixture
def drawn(demo_settings, demo_grib, tmp_path):
    """Draw a golden image anew; returns RGB uint8 (rows, columns, 3)."""

    def draw(golden: Golden) -> RGB:
        catalog = demo_settings.catalog
        style = Style(base=golden.base, units=golden.units, palette=golden.palette)
        styled = replace(demo_settings, catalog=catalog.model_copy(update={"style": style}))
        model = catalog.models[golden.model]
        wanted = Wanted(
            products_of(catalog, model, [golden.product]),
            resized([catalog.regions[golden.region]], SIZE),
            tmp_path / "staging",
            demo_settings.service.cache_dir / "pixelmaps",
        )
        *_, last = local_jobs(
            styled, model, read_files(demo_grib(golden.model, golden.cycle)), wanted
        )
        result = render_hour(replace(last.job, notice=NOTICE))
        assert result.failures == ()
        return np.asarray(Image.open(result.frames[0].path).convert("RGB"))

    return draw


@pytest.fixture(scope="session")
def writes_golden():
    """Whether `make golden` runs: then the images are written instead of compared."""
    return os.environ.get("TWF_GOLDEN") == "write"
