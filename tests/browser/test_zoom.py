"""Looking closer: maps that are larger than their place, by finger, mouse and keyboard."""

import pytest

from tests.browser.reading import NEW, OLD, fill, shows
from twf_async.publish.manifest import RunState

pytestmark = pytest.mark.browser
SHIFT = 8  # of the DevTools protocol
WIDTH = "document.getElementById('picture').offsetWidth"
SCROLLED = (
    "[document.getElementById('stage').scrollLeft, document.getElementById('stage').scrollTop]"
)
CUT = """
['run', 'region'].filter((name) => {
  const select = document.getElementById(name);
  const { left, right, width } = select.getBoundingClientRect();
  const style = getComputedStyle(select);
  const canvas = document.createElement('canvas').getContext('2d');
  canvas.font = `${style.fontSize} ${style.fontFamily}`; // the shorthand is empty
  const text = canvas.measureText(select.selectedOptions[0].textContent).width;
  const room = width - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return left < 0 || right > innerWidth || text > room;
})
"""


async def test_a_tap_enlarges_the_map_there_and_another_takes_it_back(page, site):
    await fill(site, NEW)
    await page.resize(390, 844, scale=2, mobile=True)
    await page.send("Emulation.setTouchEmulationEnabled", enabled=True)
    await page.open(site.url + "?product=t2m&hour=6")
    await shows(page, NEW, "t2m", 6)
    fitting = await page.evaluate(WIDTH)
    assert fitting <= 390
    box = "document.getElementById('picture').getBoundingClientRect()"
    x, y = await page.evaluate(f"[{box}.right - 40, {box}.bottom - 40]")

    await page.touch([(x, y)])

    await page.until(f"{WIDTH} > 1000")
    left, top = await page.evaluate(SCROLLED)
    assert left > fitting
    assert top > 100
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.press("ArrowRight")
    await shows(page, NEW, "t2m", 9)
    assert await page.evaluate(SCROLLED) == [left, top]  # the place stays while time moves
    await page.touch([(x, y)])
    await page.until(f"{WIDTH} === {fitting}")


async def test_fingers_move_an_enlarged_map_and_pinch_the_page(page, site):
    await fill(site, NEW)
    await page.resize(390, 844, scale=2, mobile=True)
    await page.send("Emulation.setTouchEmulationEnabled", enabled=True)
    await page.open(site.url + "?product=t2m&hour=6")
    await shows(page, NEW, "t2m", 6)
    await page.press("z", "z")
    await page.until(f"{WIDTH} > 1000")
    left, top = await page.evaluate(SCROLLED)
    x, y = await page.middle("#stage")

    await page.touch(*([(x - 10 * step, y)] for step in range(12)))
    await page.until(f"{SCROLLED}[0] > {left} + 50")
    await page.touch(*([(x, y - 10 * step)] for step in range(12)))
    await page.until(f"{SCROLLED}[1] > {top} + 50")
    await page.touch(*([(x - 8 * step, y), (x + 8 * step, y)] for step in range(2, 14)))
    await page.until("visualViewport.scale > 1.5")

    before = await page.evaluate(WIDTH)
    await page.evaluate("document.getElementById('picture').click()")
    assert await page.evaluate(WIDTH) == before  # a tap on what is pinched changes nothing


async def test_the_mouse_moves_an_enlarged_map_and_its_press_then_does_nothing_else(page, site):
    await fill(site, NEW)
    await page.open(site.url + "?product=t2m&hour=6")
    await shows(page, NEW, "t2m", 6)
    fitting = await page.evaluate(WIDTH)
    await page.press("z", "z")
    await page.until(f"{WIDTH} > 1.25 * {fitting}")
    left, top = await page.evaluate(SCROLLED)
    x, y = await page.middle("#stage")

    await page.mouse("mousePressed", x, y, button="left", clickCount=1)
    await page.mouse("mouseMoved", x - 60, y + 30, button="left", buttons=1)
    await page.mouse("mouseReleased", x - 60, y + 30, button="left", clickCount=1)

    assert await page.evaluate(SCROLLED) == [left + 60, top - 30]
    for key in ("ArrowLeft", "ArrowDown"):  # and so do the keys, which else change what is shown
        await page.press(key, modifiers=SHIFT)
    assert await page.evaluate(SCROLLED) == [left - 20, top + 50]
    await shows(page, NEW, "t2m", 6)
    assert await page.evaluate("document.getElementById('zoom').ariaPressed") == "true"
    await page.click("#stage")
    await page.until(f"{WIDTH} === {fitting}")
    await page.press("z", "z")
    await page.until(f"{WIDTH} > {fitting}")
    await page.press("Escape")
    await page.until(f"{WIDTH} === {fitting}")
    await page.press("ArrowLeft", modifiers=SHIFT)
    await shows(page, NEW, "t2m", 3)
    assert await page.evaluate("document.getElementById('zoom').ariaPressed") == "false"


async def test_where_a_map_fits_as_it_is_there_is_nothing_to_enlarge(page, site):
    await fill(site, NEW)
    await page.resize(2560, 1600)
    await page.open(site.url + "?product=t2m&hour=6")
    await shows(page, NEW, "t2m", 6)

    assert await page.evaluate("document.getElementById('zoom').disabled")
    await page.click("#picture")
    assert not await page.evaluate("document.getElementById('stage').matches('.zoomed')")


@pytest.mark.parametrize("width", [360, 390, 700, 820, 1001, 1280])
async def test_names_of_run_and_region_are_whole_in_every_window(page, site, width):
    await fill(site, OLD)
    await site.tree.finish_run("gfs", OLD, RunState.COMPLETE)
    await fill(site, NEW, upto=0)
    await page.resize(width, 844)

    for query, cycle, hour in ((f"&run={OLD}", OLD, 6), ("", OLD, 12), (f"&run={NEW}", NEW, 0)):
        await page.open(f"{site.url}?product=t2m&hour={hour}{query}")
        await shows(page, cycle, "t2m", hour)
        assert await page.evaluate(CUT) == [], query
