"""NOMADS is told whom to write to; where nobody is named, the log says so."""

import pytest
from structlog.testing import capture_logs

from twf_async.fetch.session import Session
from twf_async.settings.service import UpstreamSettings


@pytest.mark.parametrize(
    ("url", "contact", "said"),
    [
        ("https://nomads.ncep.noaa.gov", "", 1),
        ("https://nomads.ncep.noaa.gov", " ", 1),
        ("https://nomads.ncep.noaa.gov", "me@example.org", 0),
        ("http://127.0.0.1:8001", "", 0),
        ("https://noaa.gov.example.org", "", 0),
    ],
)
async def test_only_noaa_misses_somebody_to_write_to(url, contact, said):
    session = Session(UpstreamSettings(nomads_url=url, contact=contact))
    with capture_logs() as logs:
        await session.start()
    await session.stop()

    assert [line["event"] for line in logs] == ["fetch.contact_missing"] * said
    assert all(line["setting"] == "upstream.contact" for line in logs)
