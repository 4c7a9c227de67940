"""What readers are told while an operator, or the service itself, lets nothing new be made."""

import pytest

from tests.browser.reading import HOURS, NEW, OLD, TEXT, fill, shows
from twf_async.publish.events import STATUS_CHANGED

pytestmark = pytest.mark.browser
PROGRESS = TEXT.format("arrival-text")
NOTE = TEXT.format("note-text")
PAUSED = "2 of 5 hours online · paused by the operator: new disks"


async def test_a_pause_is_said_at_once_and_taken_back_when_work_goes_on(page, site):
    await fill(site, NEW, upto=3)
    await page.open(site.url + "?product=t2m&hour=6")
    await page.until(f"{PROGRESS} === 'Coming in: 2 of 5 hours'")
    await page.until("document.getElementById('live').dataset.mode === 'live'")

    await site.pause("new disks")

    await page.until(f"{PROGRESS} === {PAUSED!r}")
    await page.until(f"{NOTE}.startsWith('Paused by the operator: new disks.')")
    await site.resume()
    await page.until(f"{PROGRESS} === 'Coming in: 2 of 5 hours'")
    await page.until(f"{NOTE} === 'It appears here by itself.'")


async def test_who_comes_during_a_pause_is_told_of_it(page, site):
    await site.pause("new disks")
    await fill(site, NEW, upto=3)

    await page.open(site.url + "?product=t2m&hour=3")

    await shows(page, NEW, "t2m", 3)
    await page.until(f"{PROGRESS} === {PAUSED!r}")


async def test_short_memory_is_said_too_and_also_beside_a_run_that_is_whole(page, site):
    await fill(site, NEW)
    await page.open(site.url + "?product=t2m&hour=3")
    await page.until(f"{PROGRESS} === 'All 5 hours online'")
    await page.until("document.getElementById('live').dataset.mode === 'live'")

    site.events.emit(STATUS_CHANGED, {"watchdog": {"paused": "memory low"}})
    await page.until(f"{PROGRESS} === 'All 5 hours online · on hold: memory low'")
    site.events.emit(STATUS_CHANGED, {"watchdog": {"paused": ""}})
    await page.until(f"{PROGRESS} === 'All 5 hours online'")


async def test_a_stream_that_was_broken_does_not_leave_a_pause_behind(page, site):
    await site.pause("new disks")
    await fill(site, NEW, upto=3)
    await page.open(site.url + "?product=t2m&hour=3")
    await page.until(f"{PROGRESS} === {PAUSED!r}")

    await site.gate.resume(by="operator")  # and no event of it comes through
    await page.evaluate("dispatchEvent(new Event('online'))")

    await page.until(f"{PROGRESS} === 'Coming in: 2 of 5 hours'")


async def test_a_newer_run_that_waits_is_not_said_to_come_in(page, site):
    await fill(site, OLD)
    await site.open_run("gfs", NEW, HOURS)
    await site.publish("gfs", NEW, 0, ("t2m",))
    await page.open(site.url + "?product=t2m&hour=12")
    await page.until(f"{TEXT.format('newer-run')} === '12Z is coming in: show it now'")
    latest = "document.getElementById('run').selectedOptions[0].textContent"
    assert await page.evaluate(latest) == "Latest · 06Z, then 12Z"
    await page.until("document.getElementById('live').dataset.mode === 'live'")

    await site.pause("new disks")

    await page.until(f"{TEXT.format('newer-run')} === '12Z is on hold: show it now'")
