"""GRIB2 fixed surfaces (code table 4.5) and the level texts that wgrib2 prints for them.

Both ways: a message's surfaces become the text by which an idx, the grib filter and our own
configuration name a level, and such a text becomes surfaces again for whoever writes GRIB.
"""

import re
from dataclasses import dataclass
from functools import cache

from render_farm.domain.parameters import NCEP

NO_SURFACE = 255
_FIRST_LOCAL = 192


@dataclass(frozen=True, slots=True)
class Surface:
    """One fixed surface: its type in code table 4.5 and its value in that type's SI unit.

    value  None where the message gives none (mean sea level has no number)
    """

    kind: int
    value: float | None = None


_SINGLE = {
    0: "reserved",
    1: "surface",
    2: "cloud base",
    3: "cloud top",
    4: "0C isotherm",
    5: "level of adiabatic condensation from sfc",
    6: "max wind",
    7: "tropopause",
    8: "top of atmosphere",
    9: "sea bottom",
    10: "entire atmosphere",
    11: "cumulonimbus base",
    12: "cumulonimbus top",
    13: "lowest level {}% integrated cloud cover",
    14: "level of free convection",
    15: "convection condensation level",
    16: "level of neutral buoyancy",
    20: "{} K level",
    21: "lowest level > {} kg/m^3",
    22: "highest level > {} kg/m^3",
    23: "lowest level > {} Bq/m^3",
    24: "highest level > {} Bg/m^3",
    25: "highest level > {} dBZ",
    100: "{} mb",
    101: "mean sea level",
    102: "{} m above mean sea level",
    103: "{} m above ground",
    104: "{} sigma level",
    105: "{} hybrid level",
    106: "{} m underground",
    107: "{} K isentropic level",
    108: "{} mb above ground",
    109: "PV={} (Km^2/kg/s) surface",
    111: "{} Eta level",
    113: "{} logarithmic hybrid level",
    114: "snow level",
    115: "{} sigma height level",
    117: "mixed layer depth",
    118: "{} hybrid height level",
    119: "{} hybrid pressure level",
    150: "{} generalized vertical height coordinate",
    151: "soil level {}",
    160: "{} m below sea level",
    161: "{} m below water surface",
    162: "lake or river bottom",
    166: "mixing layer",
    168: "ocean model level {}",
    174: "top surface of ice on sea, lake or river",
    177: "deep soil",
}

_NCEP = {
    200: "entire atmosphere (considered as a single layer)",
    201: "entire ocean (considered as a single layer)",
    204: "highest tropospheric freezing level",
    206: "grid scale cloud bottom level",
    207: "grid scale cloud top level",
    209: "boundary layer cloud bottom level",
    210: "boundary layer cloud top level",
    211: "boundary layer cloud layer",
    212: "low cloud bottom level",
    213: "low cloud top level",
    214: "low cloud layer",
    215: "cloud ceiling",
    220: "planetary boundary layer",
    221: "layer between two hybrid levels",
    222: "middle cloud bottom level",
    223: "middle cloud top level",
    224: "middle cloud layer",
    232: "high cloud bottom level",
    233: "high cloud top level",
    234: "high cloud layer",
    235: "{}C ocean isotherm",
    236: "layer between two depths below ocean surface",
    237: "bottom of ocean mixed layer",
    238: "bottom of ocean isothermal layer",
    239: "layer ocean surface and 26C ocean isothermal level",
    240: "ocean mixed layer",
    241: "{} in sequence",
    242: "convective cloud bottom level",
    243: "convective cloud top level",
    244: "convective cloud layer",
    245: "lowest level of the wet bulb zero",
    246: "maximum equivalent potential temperature level",
    247: "equilibrium level",
    248: "shallow convective cloud bottom level",
    249: "shallow convective cloud top level",
    251: "deep convective cloud bottom level",
    252: "deep convective cloud top level",
    253: "lowest bottom level of supercooled liquid water layer",
    254: "highest top level of supercooled liquid water layer",
}

_LAYER = {
    (100, 100): "{}-{} mb",
    (102, 102): "{}-{} m above mean sea level",
    (103, 103): "{}-{} m above ground",
    (104, 104): "{}-{} sigma layer",
    (105, 105): "{}-{} hybrid layer",
    (106, 106): "{}-{} m below ground",
    (107, 107): "{}-{} K isentropic layer",
    (108, 108): "{}-{} mb above ground",
    (111, 111): "{}-{} Eta layer",
    (115, 115): "{}-{} sigma height layer",
    (118, 118): "{}-{} hybrid height layer",
    (119, 119): "{}-{} hybrid pressure layer",
    (160, 160): "{}-{} m below sea level",
    (161, 161): "{}-{} m ocean layer",
    (1, 8): "atmos col",
    (9, 1): "ocean column",
}

# The message counts in the first unit, the text in the second: Pa and mb, K/10 and degrees.
_DISPLAY_FACTOR = {100: 0.01, 108: 0.01, 235: 0.1}


def level_text(first: Surface, second: Surface, *, center: int = NCEP) -> str:
    """The level as wgrib2 prints it, by the rules of its Level.c.

    A surface without a value where the text wants a number counts as 0, as in wgrib2.
    """
    layer = _LAYER.get((first.kind, second.kind))
    if layer is not None:
        return layer.format(_number(first), _number(second))
    if first.kind == second.kind == NO_SURFACE:
        return "no_level"
    text = _single_text(first, center)
    return text if second.kind == NO_SURFACE else f"{text} - {_single_text(second, center)}"


def _single_text(surface: Surface, center: int) -> str:
    text = _NCEP.get(surface.kind) if center == NCEP else None
    if surface.kind < _FIRST_LOCAL:
        text = _SINGLE.get(surface.kind, "reserved")
    if text is not None:
        return text.format(_number(surface))
    if surface.kind == NO_SURFACE:
        return ""
    if surface.value is None:
        return f"local level type {surface.kind}"
    return f"local level type {surface.kind} {surface.value:g}"


def _number(surface: Surface) -> str:
    return format((surface.value or 0.0) * _DISPLAY_FACTOR.get(surface.kind, 1.0), "g")


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], tuple[int, ...]], ...]:
    texts: list[tuple[str, tuple[int, ...]]] = [
        *((text, kinds) for kinds, text in _LAYER.items()),
        *((text, (kind,)) for kind, text in (_SINGLE | _NCEP).items() if kind != 0),
    ]
    number = r"(-?[\d.]+(?:e[-+]?\d+)?)"
    return tuple(
        (re.compile(number.join(map(re.escape, text.split("{}")))), kinds) for text, kinds in texts
    )


def surfaces(text: str) -> tuple[Surface, Surface] | None:
    """The two fixed surfaces of a level text; None where the text is not wgrib2's.

    "850 mb" gives (Surface(100, 85000.0), Surface(255)).
    """
    upper, dash, lower = text.partition(" - ")
    if dash:
        first, second = surfaces(upper), surfaces(lower)
        return None if first is None or second is None else (first[0], second[0])
    for pattern, kinds in _patterns():
        match = pattern.fullmatch(text)
        if match is None:
            continue
        values: list[float | None] = [float(group) for group in match.groups()]
        values = values or [None] * len(kinds)
        found = [
            Surface(
                kind, None if value is None else round(value / _DISPLAY_FACTOR.get(kind, 1.0), 9)
            )
            for kind, value in zip(kinds, values, strict=True)
        ]
        return found[0], (found[1] if len(found) == 2 else Surface(NO_SURFACE))
    return None
