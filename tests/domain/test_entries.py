"""What holds of every table that an operator writes."""

import pytest
from pydantic import ValidationError

from render_farm.domain.places import Station
from render_farm.domain.style import Style


def test_definitions_are_frozen():
    with pytest.raises(ValidationError):
        Style().units = "metric"


@pytest.mark.parametrize("name", ["M\u00fcnchen", "St.\u00a0Louis", "\u5317\u4eac"])
def test_a_name_may_have_any_characters_that_can_be_printed(name):
    assert Station(name=name, latitude=0, longitude=0).name == name


@pytest.mark.parametrize("name", ["", "\u00a0", "a\nb", "a\0", "a\u2028b", "\ud800", "\x1b[31m"])
def test_a_name_that_no_picture_or_header_can_hold_is_refused(name):
    with pytest.raises(ValidationError, match="cannot be printed|is empty|unicode"):
        Station(name=name, latitude=0, longitude=0)
