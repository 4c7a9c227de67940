"""What an operator may write about models."""

import pytest

from render_farm.domain.models import Model, expand_hours


def test_hours_are_spans_with_steps():
    assert expand_hours("0-6/3,7,12-24/6") == (0, 3, 6, 7, 12, 18, 24)
    assert len(expand_hours("0-120/3,126-384/6")) == 85
    assert expand_hours([6, 0, 6]) == (0, 6)


@pytest.mark.parametrize("text", ["", "a", "3-1", "0-6/0", "1,,2", "-3", "0-999999999", "9" * 5000])
def test_hours_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="hours"):
        expand_hours(text)


def test_long_cycles_have_their_own_hours():
    model = Model(
        key="hrrr",
        title="HRRR",
        long_title="High-Resolution Rapid Refresh",
        cycles=range(24),
        hours="0-18",
        long_cycles=[0, 6, 12, 18],
        long_hours="0-48",
        bucket_h=1,
        first_hour_min=50,
        gives_up_min=150,
        files=[{"path": "hrrr.{date}/hrrr.t{cc}z.wrfsfcf{hour:02d}.grib2"}],
        products=["t2m"],
        regions=["pnw"],
    )
    assert model.hours_of(17)[-1] == 18
    assert model.hours_of(18)[-1] == 48
