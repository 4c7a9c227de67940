"""How the tests of the replica ask it, and how they read GRIB back."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import ModuleType
from typing import Any

import aiohttp
import numpy as np
from multidict import CIMultiDictProxy
from yarl import URL

COM = "/pub/data/nccf/com"
GFS = f"{COM}/gfs/prod/gfs.20260129/12/atmos"
HRRR = f"{COM}/hrrr/prod/hrrr.20260129/conus"
GFS_FILTER = "/cgi-bin/filter_gfs_0p25_1hr.pl?dir=%2Fgfs.20260129%2F12%2Fatmos"
GFS_F006 = f"{GFS_FILTER}&file=gfs.t12z.pgrb2.0p25.f006"
HRRR_F06 = "/cgi-bin/filter_hrrr_2d.pl?dir=%2Fhrrr.20260129%2Fconus&file=hrrr.t17z.wrfsfcf06.grib2"


@dataclass
class HandClock:
    """A clock that a test sets."""

    time: datetime

    def now(self) -> datetime:
        return self.time


@dataclass
class Answer:
    status: int
    reason: str
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """Asks one server; never follows a redirect."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = URL(self._base + path, encoded=True)
        asked = self._session.request(method, url, headers=named, allow_redirects=False)
        async with asked as answer:
            body = await answer.read()
            return Answer(answer.status, answer.reason or "", answer.headers, body)


@dataclass
class Message:
    """One message; header keys by name, values and points decoded when they are looked at."""

    octets: bytes

    @cached_property
    def keys(self) -> dict[str, Any]:
        with self._handle() as handle:
            return {key: eccodes().codes_get(handle, key) for key in _KEYS}

    @cached_property
    def values(self) -> np.ndarray:
        with self._handle() as handle:
            return eccodes().codes_get_values(handle)

    @cached_property
    def latitudes(self) -> np.ndarray:
        with self._handle() as handle:
            return eccodes().codes_get_array(handle, "latitudes")

    @cached_property
    def longitudes(self) -> np.ndarray:
        """0..360, as stored; eccodes unwraps a grid that crosses Greenwich."""
        with self._handle() as handle:
            return eccodes().codes_get_array(handle, "longitudes") % 360.0

    @property
    def shape(self) -> tuple[int, int]:
        return self.keys["Nj"], self.keys["Ni"]

    @contextmanager
    def _handle(self) -> Iterator[int]:
        handle = eccodes().codes_new_from_message(self.octets)
        try:
            yield handle
        finally:
            eccodes().codes_release(handle)


def eccodes() -> ModuleType:
    """Imported here: only after the replica has imported pyproj."""
    return importlib.import_module("eccodes")


_KEYS = (
    *("shortName", "level", "Ni", "Nj", "scanningMode", "packingType", "bitsPerValue"),
    *("decimalScaleFactor", "binaryScaleFactor", "totalLength", "stepRange", "dataDate"),
    *("latitudeOfFirstGridPointInDegrees", "longitudeOfFirstGridPointInDegrees", "dataTime"),
)


def messages_of(octets: bytes) -> list[Message]:
    """Every message of a stream; the stream must be nothing but messages."""
    found = []
    while octets:
        assert octets[:4] == b"GRIB"
        length = int.from_bytes(octets[8:16], "big")
        assert octets[length - 4 : length] == b"7777"
        found.append(Message(octets[:length]))
        octets = octets[length:]
    return found
