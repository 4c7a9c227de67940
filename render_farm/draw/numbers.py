"""Numbers as people read them on a map: true minus, no "-0", thousands parted. Pure."""

from decimal import Decimal
from math import isfinite

MINUS = "\u2212"
PARTED_FROM = 10_000  # below it a comma costs more than it helps (1013 hPa, 2000 J/kg)


def fixed_text(value: float, decimals: int) -> str:
    """*value* with this many decimals: `−12`, `0.05`, `16,000`; "" where it is not finite.

    Rounds half to even, as the value is stored. What rounds to zero has no sign. Decimals below
    zero round to tens and hundreds: -2 makes `12,300` of 12345.
    """
    if not isfinite(value):
        return ""
    if decimals < 0:
        value, decimals = round(value, decimals), 0
    text = f"{abs(value):,.{decimals}f}"
    if round(abs(value), decimals) < PARTED_FROM:
        text = text.replace(",", "")
    negative = value < 0 and any(digit in "123456789" for digit in text)
    return MINUS + text if negative else text


def shortest_text(value: float) -> str:
    """*value* with the decimals that it needs, six at most: `0.01`, `2.5`, `−40`."""
    return fixed_text(value, decimals_of(value))


def decimals_of(value: float) -> int:
    """How many decimals *value* has, after rounding to six (2.5: 1; 40: 0)."""
    exponent = Decimal(f"{value:.6f}").normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
