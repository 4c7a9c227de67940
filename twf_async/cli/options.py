"""Options that several commands share, and what every command does first."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, get_args

import click

from render_farm.domain.style import Style
from render_farm.logs import lines
from twf_async.errors import BadInput
from twf_async.settings.catalog import Catalog
from twf_async.settings.files import find_config_dir, find_state_dir
from twf_async.settings.load import Settings, load
from twf_async.settings.wording import nearest

P = ParamSpec("P")
R = TypeVar("R")

config_option = click.option(
    "--config",
    "config_dir",
    metavar="DIR",
    help="Directory of the configuration [default: $TWF_CONFIG, ./config, /etc/twf-async].",
)
state_option = click.option(
    "--state",
    "state_dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="State directory of the service to ask [default: by its configuration].",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def prepare(config_dir: str | None) -> Settings:
    """Load the settings and set the log lines up."""
    settings = load(find_config_dir(config_dir, os.environ))
    logs = settings.service.logs
    lines.configure(logs.level, console=lines.console_wanted(logs.format))
    return settings


def service_state(config_dir: str | None, state_dir: Path | None) -> Path:
    """Where the service that a command is for keeps its state; other settings do not matter."""
    if state_dir is not None:
        return state_dir
    return find_state_dir(find_config_dir(config_dir, os.environ), os.environ)


def parse_size(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """`1700x1300` as width and height in pixels."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d{3,4})x(\d{3,4})", value)
    if match is None or not all(200 <= int(part) <= 8000 for part in match.groups()):
        raise click.BadParameter(f"{value!r} is not WIDTHxHEIGHT in pixels, 200 to 8000 each")
    return int(match[1]), int(match[2])


def parse_keys(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """`t2m,refc` as keys."""
    return None if value is None else tuple(key.strip() for key in value.split(",") if key.strip())


def chosen(
    kind: str, wanted: tuple[str, ...] | None, known: tuple[str, ...] | dict[str, Any]
) -> tuple[str, ...]:
    """*wanted* if all of it is *known*, everything if nothing was said; else BadInput."""
    if wanted is None:
        return tuple(known)
    for key in wanted:
        if key not in known:
            near = nearest(key, known)
            hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(known)}"
            raise BadInput(f"there is no {kind} {key!r}; {hint}")
    if not wanted:
        raise BadInput(f"name at least one {kind}; there are: {', '.join(known)}")
    return wanted


def require_known(
    catalog: Catalog,
    products: tuple[str, ...] | None,
    regions: tuple[str, ...],
    model: str | None,
) -> None:
    """BadInput for what the configuration has not, whatever the model. None: nothing was said."""
    chosen("product", products, catalog.products)
    chosen("region", regions, catalog.regions)
    chosen("model", None if model is None else (model,), catalog.models)


def restyled(settings: Settings, changes: Mapping[str, str | None]) -> Settings:
    """The settings with another look, where one was asked for."""
    asked = {name: value for name, value in changes.items() if value is not None}
    if not asked:
        return settings
    style = settings.catalog.style.model_copy(update=asked)
    return replace(settings, catalog=settings.catalog.model_copy(update={"style": style}))


def style_options(command: Callable[P, R]) -> Callable[P, R]:
    """`--base`, `--units` and `--palette`: what style.toml says, for once otherwise."""
    for name in ("palette", "units", "base"):
        choices = click.Choice(get_args(Style.model_fields[name].annotation))
        help_text = f"{name.capitalize()} of the maps [default: by style.toml]."
        command = click.option(f"--{name}", type=choices, help=help_text)(command)
    return command


regions_option = click.option(
    "--regions", callback=parse_keys, metavar="KEY,..", help="Regions [default: the model's]."
)
products_option = click.option(
    "--products", callback=parse_keys, metavar="KEY,..", help="Products [default: the model's]."
)
local_files = click.argument(
    "files",
    nargs=-1,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="[FILE..]",
)
drawn_regions_option = click.option(
    "--region",
    "--regions",
    "regions",
    default="pnw",
    show_default=True,
    callback=parse_keys,
    metavar="KEY,..",
    help="Regions to draw.",
)
