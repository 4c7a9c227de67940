"""The shipped scales, and the table in which the documentation describes their palettes."""

import tomllib

import pytest

from render_farm.domain.scales import Scale


@pytest.fixture(scope="session")
def scales(config_dir):
    tables = tomllib.loads((config_dir / "scales.toml").read_text(encoding="utf-8"))
    return {key: Scale(key=key, **table) for key, table in tables.items()}


@pytest.fixture(scope="session")
def palette_table(config_dir):
    """Scale -> column -> cell of the table in docs/palettes.md."""
    text = (config_dir.parent / "docs" / "palettes.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[2:]}
