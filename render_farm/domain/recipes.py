"""What each recipe takes and makes, so that a configuration can be checked without running one.

The recipes themselves are in `render_farm/derive`, which the service must not load; a test holds
this table to them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

# Of precipitation, from the least to the worst to be out in: of several at one point the last wins.
TYPES = ("rain", "snow", "sleet", "freezing_rain")


@dataclass(frozen=True, slots=True)
class RecipeFace:
    """One recipe from outside.

    needs       roles without which it makes nothing; several sets: one of them is enough
    takes       further roles that it has a use for
    makes       grids besides "fill" -> the roles that each of them needs to be there
    hands_on    any other role comes out as a grid of its name, for lines, hatching and symbols
    takes_any   any other role is used, and comes out as nothing
    categories  roles of scales by which it can colour beside "fill"; a later one wins
    """

    needs: tuple[frozenset[str], ...]
    takes: frozenset[str] = frozenset()
    makes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    hands_on: bool = False
    takes_any: bool = False
    categories: tuple[str, ...] = ()

    def grids(self, roles: Collection[str]) -> frozenset[str]:
        """The grids that it makes of these roles."""
        present = frozenset(roles)
        made = {grid for grid, needed in self.makes.items() if needed <= present}
        handed_on = present - self.used if self.hands_on else frozenset()
        return frozenset({"fill"} | made | handed_on)

    @property
    def used(self) -> frozenset[str]:
        """The roles that it asks for by name."""
        return self.takes.union(*self.needs)

    def in_doubt(self, lost: Collection[str]) -> frozenset[str]:
        """Roles of categories that say nothing for sure where the roles *lost* are not known.

        A point that is flagged as rain may be flagged as snow as well, which would have won.
        """
        last = max((k for k, role in enumerate(self.categories) if role in lost), default=0)
        return frozenset(self.categories[:last])

    def lacking(self, roles: Collection[str]) -> frozenset[str]:
        """The roles that have to be added before it makes anything; empty for enough."""
        return min((needed - frozenset(roles) for needed in self.needs), key=len)


def _one(*roles: str) -> tuple[frozenset[str], ...]:
    return (frozenset(roles),)


_WIND = {"u": frozenset[str](), "v": frozenset[str]()}
_PRESSURE = {"mslp": frozenset[str](), "thickness": frozenset[str]()}
_VALUE = RecipeFace(_one("value"), hands_on=True)
_VALUE_AND_WIND = RecipeFace(_one("value", "u", "v"), makes=_WIND, hands_on=True)

RECIPE_FACES: dict[str, RecipeFace] = {
    "identity": _VALUE,
    "total": _VALUE,
    "wind_speed": RecipeFace(_one("u", "v"), makes=_WIND, hands_on=True),
    "mslp_ptype": RecipeFace(
        _one("mslp", "rate", "z500", "z1000"),
        takes=frozenset(TYPES),
        makes=_PRESSURE,
        categories=TYPES,
    ),
    "mslp_mean_rate": RecipeFace(_one("mslp", "amount", "z500", "z1000"), makes=_PRESSURE),
    "window": RecipeFace(_one("value", "earlier")),
    "upper_temperature": _VALUE_AND_WIND,
    "field_with_wind": _VALUE_AND_WIND,
    "reflectivity_by_type": RecipeFace(_one("value"), takes=frozenset(TYPES), categories=TYPES),
    "snow_from_buckets": RecipeFace(_one("amount", "snow")),
    "snow_from_water": RecipeFace(_one("water")),
    "snow_kuchera": RecipeFace((*_one("water"), *_one("amount", "snow")), takes_any=True),
    "vorticity": RecipeFace(_one("u", "v"), makes=_WIND, hands_on=True),
    "temperature_advection": RecipeFace(
        _one("value", "u", "v"), makes=_WIND | {"frontogenesis": frozenset()}, hands_on=True
    ),
    "humidity_from_dewpoint": RecipeFace(
        _one("temperature", "dewpoint"),
        takes=frozenset({"w"}),
        makes={"omega": frozenset({"w"})},
        hands_on=True,
    ),
    "humidity_from_specific": RecipeFace(_one("temperature", "specific"), hands_on=True),
}
