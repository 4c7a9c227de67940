"""A forum post that shows a map whose run has been taken off, in a real browser."""

import pytest

from render_farm.render import notices

pytestmark = pytest.mark.browser

CYCLE = "2026012906"


async def test_a_picture_stands_in_the_place_of_a_map_that_is_gone(site, page):
    await site.open_run("gfs", CYCLE, (0, 6))
    await site.publish("gfs", CYCLE, 6)
    await site.tree.evict_run("gfs", CYCLE)
    await page.open(site.url)
    await page.until("document.readyState === 'complete'")

    width = await page.evaluate(
        f"""new Promise((done) => {{
          const map = new Image();
          map.onload = () => done(map.naturalWidth);
          map.onerror = () => done(0);
          map.src = "/maps/gfs/{CYCLE}/pnw/t2m/f006.png";
          document.body.append(map);
        }})"""
    )

    assert width == notices.WIDTH
    page.errors[:] = [error for error in page.errors if "410" not in str(error)]  # it says so too
