"""The strip of hours: where its marker, its ticks, clock times and the present moment lie."""

import pytest

from tests.browser.reading import NEW, TEXT, fill, shows

pytestmark = pytest.mark.browser
HOURLY = tuple(range(19))
MIDDLE = """(() => {{
  const {{ left, width }} = document.querySelector({!r}).getBoundingClientRect();
  return left + width / 2;
}})()"""
CLOCKS = """[...document.querySelectorAll('#clocks span')].map((label) => {
  const { left, right } = label.getBoundingClientRect();
  return [label.textContent, (left + right) / 2];
})"""


async def test_the_marker_stands_on_its_tick_its_clock_time_and_the_present(page, site):
    await fill(site, NEW, hours=HOURLY)
    await page.open(site.url + "?product=t2m&hour=6")
    await shows(page, NEW, "t2m", 6)
    code = """import('/viewer/strip.js').then(async ({ Strip }) => {
      const { trackOf } = await import('/viewer/choose.js');
      const manifest = await (await fetch('/api/v1/runs/gfs/2026012912?region=pnw')).json();
      const strip = new Strip(() => undefined);
      strip.draw(trackOf(manifest, 'pnw', 't2m'));
      strip.point(6);
      strip.clock(Date.UTC(2026, 0, 29, 18)); // the moment that hour 6 is valid at
    })"""

    await page.evaluate(code)

    head = await page.evaluate(MIDDLE.format("#head"))
    assert head == pytest.approx(await page.evaluate(MIDDLE.format("#now")), abs=1)
    tick = await page.evaluate(MIDDLE.format("#ticks .tick:nth-child(7)"))
    assert head == pytest.approx(tick, abs=1)
    clocks = dict(await page.evaluate(CLOCKS))
    assert head == pytest.approx(clocks["18Z"], abs=1)


@pytest.mark.parametrize("width", [390, 820, 1280])
async def test_hourly_strips_have_clock_times_and_the_day(page, site, width):
    await fill(site, NEW, hours=HOURLY)
    await page.resize(width, 844)

    await page.open(site.url + "?product=t2m&hour=6")

    await shows(page, NEW, "t2m", 6)
    assert {"18Z", "21Z"} <= {text for text, _ in await page.evaluate(CLOCKS)}
    assert (await page.evaluate(TEXT.format("days"))).startswith("Thu")


async def test_page_up_and_down_go_a_day(page, site):
    await fill(site, NEW, hours=tuple(range(0, 61, 6)))
    await page.open(site.url + "?product=t2m&hour=6")
    await shows(page, NEW, "t2m", 6)

    await page.press("PageDown")
    await shows(page, NEW, "t2m", 30)
    await page.press("PageDown")
    await page.press("PageDown")
    await shows(page, NEW, "t2m", 60)
    await page.press("PageUp")
    await shows(page, NEW, "t2m", 36)
