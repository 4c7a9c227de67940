"""Every word on the page can be read: contrast as WCAG 2 counts it, in both themes."""

import pytest

from tests.browser.reading import HOURS, NEW, TEXT, shows

pytestmark = pytest.mark.browser
FAINT = """
(() => {
  const channel = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => channel(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const colour = (text) => text.match(/[\\d.]+/g).map(Number);
  const opacity = (element) => element
    ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1;
  const ground = (element) => {
    const [r, g, b, alpha = 1] = colour(getComputedStyle(element).backgroundColor);
    return alpha === 1 ? [r, g, b] : ground(element.parentElement);
  };
  const hasText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const isSeen = (element) => element.offsetWidth && !element.closest('.vh, noscript');
  return [...document.querySelectorAll('body *')].filter(hasText).filter(isSeen)
    .map((element) => {
      const below = ground(element);
      const share = opacity(element);
      const ink = colour(getComputedStyle(element).color).slice(0, 3)
        .map((c, index) => c * share + below[index] * (1 - share));
      const [light, dark] = [luminance(ink), luminance(below)].sort((a, b) => b - a);
      return [element.textContent, (light + 0.05) / (dark + 0.05)];
    })
    .filter(([, contrast]) => contrast < 4.5);
})()
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_no_word_is_faint(page, site, theme, width):
    products = ("mslp_ptype", "t2m", "td2m")
    await site.open_run("gfs", NEW, HOURS, products, notice="of synthetic weather")
    await site.publish("gfs", NEW, 6, ("t2m",))
    await site.pause("new disks")
    await page.resize(width, 844)
    await page.prefer(prefers_color_scheme=theme, prefers_reduced_motion="reduce")
    await page.open(site.url + "?product=t2m&hour=6")
    await shows(page, NEW, "t2m", 6)
    await page.until(f"{TEXT.format('arrival-text')}.endsWith('new disks')")
    assert await page.evaluate(FAINT) == []

    await page.open(site.url + "?product=td2m&hour=6")  # of which nothing is online
    await page.until("document.getElementById('note-text').offsetHeight > 0")
    await page.press("?", "?")
    assert await page.evaluate(FAINT) == []
