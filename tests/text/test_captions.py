from zoneinfo import ZoneInfoNotFoundError

import pytest

from render_farm.domain.style import Style
from render_farm.draw.captions import (
    DAYS,
    MONTHS,
    WIDEST_DAY,
    WIDEST_MONTH,
    Extreme,
    captions,
)
from render_farm.draw.text import text_width


def made(**changes):
    facts = {
        "model_title": "GFS",
        "product_title": "2 m temperature",
        "unit": "°F",
        "region_title": "Pacific Northwest",
        "cycle": "2026012912",
        "hour": 6,
        "timezone": "America/Los_Angeles",
        "style": Style(),
    }
    return captions(**{**facts, **changes})


def test_the_title_names_model_product_and_unit():
    assert made().title[0] == "GFS · 2 m temperature (°F)"


def test_a_product_without_unit_has_no_empty_brackets():
    assert made(unit="").title[0] == "GFS · 2 m temperature"


def test_the_second_line_names_region_and_start_of_the_run():
    assert made().subtitle[0] == "Pacific Northwest · Init Thu 29 Jan 2026 12Z"


def test_the_notice_is_kept_whole():
    assert made(notice="synthetic demo data").notice == "synthetic demo data"


@pytest.mark.parametrize(
    ("cycle", "hour", "timezone", "text"),
    [
        ("2026012912", 6, "America/Los_Angeles", "Thu 29 Jan 2026 18Z · 10 AM PST"),
        ("2026012912", 15, "America/Los_Angeles", "Fri 30 Jan 2026 03Z · Thu 7 PM PST"),
        ("2026070100", 0, "America/Los_Angeles", "Wed 1 Jul 2026 00Z · Tue 5 PM PDT"),
        # the clocks change on 8 March 2026 at 2 AM: 09Z is 1 AM PST, 10Z is 3 AM PDT
        ("2026030800", 9, "America/Los_Angeles", "Sun 8 Mar 2026 09Z · 1 AM PST"),
        ("2026030800", 10, "America/Los_Angeles", "Sun 8 Mar 2026 10Z · 3 AM PDT"),
        # and back on 1 November: 1 AM twice, told apart by the zone
        ("2026110100", 8, "America/Los_Angeles", "Sun 1 Nov 2026 08Z · 1 AM PDT"),
        ("2026110100", 9, "America/Los_Angeles", "Sun 1 Nov 2026 09Z · 1 AM PST"),
        ("2026012912", 6, "America/St_Johns", "Thu 29 Jan 2026 18Z · 2:30 PM NST"),
        ("2026012912", 6, "Asia/Kathmandu", "Thu 29 Jan 2026 18Z · 11:45 PM UTC+5:45"),
        ("2026012912", 6, "America/Sao_Paulo", "Thu 29 Jan 2026 18Z · 3 PM UTC−3"),
        ("2026012912", 8, "America/Los_Angeles", "Thu 29 Jan 2026 20Z · 12 PM PST"),
        ("2026012900", 8, "America/Los_Angeles", "Thu 29 Jan 2026 08Z · 12 AM PST"),
        ("2026012912", 6, "UTC", "Thu 29 Jan 2026 18Z"),
        ("2026123112", 384, "America/New_York", "Sat 16 Jan 2027 12Z · 7 AM EST"),
    ],
)
def test_valid_time_in_utc_and_in_the_regions_zone(cycle, hour, timezone, text):
    assert made(cycle=cycle, hour=hour, timezone=timezone).valid[0] == f"Valid {text}"


@pytest.mark.parametrize(
    ("hour", "text"), [(0, "f000 · +0 h"), (6, "f006 · +6 h"), (384, "f384 · +384 h")]
)
def test_lead_time(hour, text):
    assert made(hour=hour).lead[0] == text


def test_facts_name_both_extremes_with_unit_and_place():
    found = made(lowest=Extreme("−12", "near Butte"), highest=Extreme("58", "near Medford"))

    assert found.facts[0] == "Min −12 °F near Butte · Max 58 °F near Medford"
    assert found.facts[1] == "Min −12 °F · Max 58 °F"


def test_a_unit_that_is_a_power_is_multiplied():
    assert made(unit="10⁻⁵ s⁻¹", highest=Extreme("37")).facts[1] == "Max 37 × 10⁻⁵ s⁻¹"


def test_a_note_stands_before_the_extremes_and_absent_extremes_leave_no_trace():
    assert made(note="type unknown", highest=Extreme("3.1")).facts[0] == "type unknown · Max 3.1 °F"
    assert made().facts[0] == ""
    assert made(lowest=Extreme("")).facts[0] == ""


def test_credit_and_brand_come_from_the_style():
    style = Style(brand="The Weather Forums", credit="data: NOAA/NCEP")

    assert made(style=style).credit[0] == "data: NOAA/NCEP · The Weather Forums"


def test_forms_get_shorter_and_each_valid_form_has_a_widest_twin():
    texts = made()

    for forms in (texts.title, texts.valid, texts.subtitle, texts.lead, texts.facts, texts.credit):
        assert [len(form) for form in forms] == sorted((len(f) for f in forms), reverse=True)
    assert len(texts.valid) == len(texts.valid_widest)


@pytest.mark.parametrize("weight", ["regular", "bold"])
def test_the_widest_day_and_month_are_the_widest(weight):
    assert max(DAYS, key=lambda day: text_width(day, 100, weight)) == WIDEST_DAY
    assert max(MONTHS, key=lambda month: text_width(month, 100, weight)) == WIDEST_MONTH


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kathmandu", "UTC"])
def test_no_hours_valid_time_is_wider_than_the_room_kept_for_it(zone):
    for hour in range(0, 24 * 60, 7):
        texts = made(hour=hour, timezone=zone)
        for form, widest in zip(texts.valid, texts.valid_widest, strict=True):
            assert text_width(form, 40, "bold") <= text_width(widest, 40, "bold")


def test_a_bad_cycle_or_zone_is_an_error():
    with pytest.raises(ValueError, match="2026"):
        made(cycle="2026-01-29")
    with pytest.raises(ZoneInfoNotFoundError):
        made(timezone="Mars/Olympus")
