"""What settings are measured in, each with its limits."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

_HOST = re.compile(r"[\w.:%-]+")
_PORTS = {"http": 80, "https": 443}

MOST_WORKERS = 256  # of one machine or cluster; more is a slip of the keyboard
MOST = 10**9  # of anything else: seconds of 31 years. What is more breaks clocks and sockets


def _no_truth(value: object) -> object:
    """Python counts true as 1; nobody who writes `workers = true` means one worker."""
    if isinstance(value, bool):
        raise PydanticCustomError("number_wanted", "a truth value is no number")
    return value


def _named(value: object) -> object:
    if value == "":
        raise ValueError("it is empty; write the path of a directory, or leave it out")
    return value


def _no_count(value: object) -> object:
    if isinstance(value, int | float):
        raise PydanticCustomError("time_wanted", "a number is no time")
    return value


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


Number = BeforeValidator(_no_truth)
Whole = Annotated[int, Field(gt=0, le=MOST), Number]
Connections = Annotated[int, Field(gt=0, le=16), Number]
Workers = Annotated[int, Field(gt=0, le=MOST_WORKERS), Number]
Port = Annotated[int, Field(ge=0, le=65535), Number]
Amount = Annotated[float, Field(gt=0, le=MOST), Number]  # in the unit that the key's name ends with
Speed = Annotated[float, Field(gt=0, le=100_000), Number]  # of a clock; a year in five minutes
Share = Annotated[float, Field(gt=0, lt=1), Number]
Percent = Annotated[float, Field(gt=0, le=100), Number]
Place = Annotated[Path, BeforeValidator(_named)]
Moment = Annotated[datetime, BeforeValidator(_no_count), AfterValidator(_utc)]  # UTC if no zone


def is_http(url: str) -> bool:
    """Whether it is the address of a server, to which paths can be added."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a port that is no number, a bracket that is not closed
        return False
    whole = not (parts.query or parts.fragment or url.endswith(("?", "#")))
    return parts.scheme in _PORTS and bool(_HOST.fullmatch(host)) and port != 0 and whole


def is_origin(url: str) -> bool:
    """Whether it is a site as browsers name it: scheme, host, a port that is not the usual one.

    They compare to the letter, and write no user, no capital letter and no umlaut.
    """
    if not is_http(url):
        return False
    parts = urlsplit(url)
    host = parts.hostname or ""
    place = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port not in {None, _PORTS[parts.scheme]} else ""
    return host.isascii() and url == f"{parts.scheme}://{place}{port}"


def is_scheduler(address: str) -> bool:
    """Whether it is the address of a dask scheduler, its port included."""
    try:
        parts = urlsplit(address)
        return parts.scheme in {"tcp", "tls"} and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    """Whether it is this machine's own address."""
    return urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}
