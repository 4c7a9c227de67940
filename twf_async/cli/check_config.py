"""`twf-async check-config`: whether the configuration can be used, and what it says."""

import json
from functools import partial
from typing import Any

import click

from render_farm.worker import entry
from twf_async.cli.options import config_option, json_option, prepare
from twf_async.farm.boot import ask_once, boot
from twf_async.farm.remote.connection import require_dask
from twf_async.settings import palettes
from twf_async.settings.catalog import Catalog
from twf_async.settings.load import Settings


@click.command("check-config", short_help="Name the faults of the configuration.")
@config_option
@json_option
def command(config_dir: str | None, *, as_json: bool) -> int:
    """Read and check every file of the configuration."""
    settings = prepare(config_dir)
    if settings.service.farm.backend == "dask":
        require_dask()
    if palettes.may_be_too_many(settings.catalog):
        _require_room(settings)
    summary = _summary(settings.catalog)
    hints = _hints(settings)
    if as_json:
        told = {"config": str(settings.config_dir), "models": summary, "hints": hints}
        click.echo(json.dumps(told, indent=2))
        return 0
    click.echo(f"{settings.config_dir}: fine")
    for model in summary:
        click.echo(
            f"  {model['model']}: {len(model['products'])} products"
            f" ({', '.join(model['products'])}) for {', '.join(model['regions'])}"
        )
    for hint in hints:
        click.echo(f"hint: {hint}", err=True)
    return 0


def _require_room(settings: Settings) -> None:
    """BadConfiguration for maps that no picture can hold; a worker tells how colours are mixed."""
    shown = palettes.displays(settings.catalog)
    drawn = ask_once(boot(), partial(entry.bin_colours, tuple(shown.values())))
    palettes.require_room(settings, dict(zip(shown, drawn, strict=True)))


def _hints(settings: Settings) -> list[str]:
    """What can be used as it is, but had better be otherwise."""
    if not settings.service.upstream.lacks_contact:
        return []
    hint = (
        f"{settings.config_dir / 'service.toml'}: upstream.contact is empty; write an address there"
        " that NCEP can reach, so that they write before they block"
    )
    return [hint]


def _summary(catalog: Catalog) -> list[dict[str, Any]]:
    return [
        {"model": model.key, "products": list(model.products), "regions": list(model.regions)}
        for model in catalog.enabled_models
    ]
