"""`twf-async check-config`: whether the configuration can be used, and what it says."""

import json
from typing import Any

import click

from twf_async.cli.options import config_option, json_option, prepare
from twf_async.farm.remote.connection import require_dask
from twf_async.settings.catalog import Catalog


@click.command("check-config", short_help="Name the faults of the configuration.")
@config_option
@json_option
def command(config_dir: str | None, *, as_json: bool) -> int:
    """Read and check every file of the configuration."""
    settings = prepare(config_dir)
    if settings.service.farm.backend == "dask":
        require_dask()
    summary = _summary(settings.catalog)
    if as_json:
        click.echo(json.dumps({"config": str(settings.config_dir), "models": summary}, indent=2))
        return 0
    click.echo(f"{settings.config_dir}: fine")
    for model in summary:
        click.echo(
            f"  {model['model']}: {len(model['products'])} products"
            f" ({', '.join(model['products'])}) for {', '.join(model['regions'])}"
        )
    return 0


def _summary(catalog: Catalog) -> list[dict[str, Any]]:
    return [
        {"model": model.key, "products": list(model.products), "regions": list(model.regions)}
        for model in catalog.enabled_models
    ]
