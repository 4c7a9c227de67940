"""Jobs on the real files, made from the shipped configuration as the planner would make them."""

import tomllib
from dataclasses import replace

import pytest

from render_farm.domain.jobs import MessageSource, ProductTask, RenderJob
from render_farm.domain.places import Region, Station
from render_farm.domain.products import Product
from render_farm.domain.scales import Scale
from render_farm.domain.style import Style
from tests.reference_kernel import reference_value

BUCKETS = {"gfs": 6, "hrrr": 1}
STATIONS = (
    Station(name="Boise", latitude=43.61, longitude=-116.2, rank=1),
    Station(name="Spokane", latitude=47.66, longitude=-117.43, rank=2),
)


def _tables(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def catalog(config_dir):
    products = _tables(config_dir / "products.toml")
    scales = _tables(config_dir / "scales.toml")
    regions = _tables(config_dir / "regions.toml")
    return {
        "products": {key: Product(key=key, **entry) for key, entry in products.items()},
        "scales": {key: Scale(key=key, **entry) for key, entry in scales.items()},
        "regions": {key: Region(key=key, **entry) for key, entry in regions.items()},
    }


@pytest.fixture(scope="session")
def map_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("maps")


@pytest.fixture(scope="session")
def real_file(test_data):
    com = test_data / "nomads/pub/data/nccf/com"

    def path(model, hour):
        if model == "gfs":
            return com / f"gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f{hour:03d}"
        return com / f"hrrr/prod/hrrr.20260129/conus/hrrr.t17z.wrfsfcf{hour:02d}.grib2"

    return path


@pytest.fixture
def make_job(catalog, map_cache, tmp_path):
    def make(path, model, cycle, hour, products, *, size=(480, 360), **changes):
        region = catalog["regions"]["pnw"].model_copy(
            update={"width_px": size[0], "height_px": size[1]}
        )
        tasks = []
        for key in products:
            product = catalog["products"][key].for_model(model)
            inputs = {}
            for role, field in product.fields.items():
                messages = field.messages(hour, BUCKETS[model])
                if messages is not None:
                    inputs[role] = tuple(MessageSource(str(path), key) for _, key in messages)
            scales = {role: catalog["scales"][key] for role, key in product.scales.items()}
            tasks.append(ProductTask(product, scales, inputs, (region.key,)))
        job = RenderJob(
            model=model,
            model_title=model.upper(),
            cycle=cycle,
            hour=hour,
            tasks=tuple(tasks),
            regions=(region,),
            stations=STATIONS,
            style=Style(),
            staging_dir=str(tmp_path / "staging"),
            map_cache_dir=str(map_cache),
        )
        return replace(job, **changes)

    return make


@pytest.fixture(scope="session")
def kernel_value():
    return reference_value
