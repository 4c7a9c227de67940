"""The viewer in a real browser: what readers see and press."""

import pytest

from tests.browser.reading import HOURS, NEW, OLD, SHOWN, TEXT, fill, shows
from twf_async.publish.events import RUN_STARTED
from twf_async.publish.manifest import RunState

pytestmark = pytest.mark.browser
CUT = """
['arrival-text', 'newer-run', 'brand'].filter((name) => {
  const { left, right } = document.getElementById(name).getBoundingClientRect();
  const { scrollWidth, clientWidth } = document.getElementById(name);
  return scrollWidth > clientWidth || left < 0 || right > innerWidth;
}).concat(document.documentElement.scrollWidth > innerWidth ? ['page'] : [])
"""
WATCH = """
window.shown = [];
new MutationObserver(changes => {
  for (const change of changes) for (const node of change.addedNodes) if (node.src)
    shown.push([Number(/f(\\d{3})/.exec(node.src)[1]), node.complete && node.naturalWidth > 0]);
  if (!document.querySelector('#picture img')) shown.push(['empty', false]);
}).observe(document.getElementById('picture'), { childList: true });
"""


async def test_the_first_visit_shows_a_map_with_its_times(page, site):
    await fill(site, NEW)

    await page.open(site.url + "?hour=6")

    await shows(page, NEW, "mslp_ptype", 6)
    assert await page.evaluate(TEXT.format("valid-local")) == "Thu, Jan 29, 10:00 AM PST"
    assert await page.evaluate(TEXT.format("valid-utc")) == "18Z Thu, Jan 29"
    assert await page.evaluate(TEXT.format("lead")) == "+6 h"
    alt = await page.evaluate("document.querySelector('#picture img').alt")
    assert alt.startswith("GFS MSLP, precipitation type and rate, thickness, Pacific Northwest")


async def test_nothing_is_asked_of_other_servers(page, site):
    await fill(site, NEW)

    await page.open(site.url)
    await shows(page, NEW, "mslp_ptype", HOURS[-1])  # the run is in the past: its last hour

    asked = [url for url in page.requests if not url.startswith(("about:", "data:"))]
    assert asked
    assert all(url.startswith(site.url) for url in asked)


async def test_arrows_home_and_end_move_through_the_hours_and_the_address_follows(page, site):
    await fill(site, NEW)
    await page.open(site.url + "?product=t2m&hour=3")
    await shows(page, NEW, "t2m", 3)

    await page.press("ArrowRight")
    await shows(page, NEW, "t2m", 6)
    await page.press("End")
    await shows(page, NEW, "t2m", 12)
    await page.press("ArrowLeft")
    await shows(page, NEW, "t2m", 9)
    await page.press("Home")
    await shows(page, NEW, "t2m", 0)

    query = "?model=gfs&run=latest&region=pnw&product=t2m&hour=0"
    await page.until(f"location.search === {query!r}")


async def test_an_address_brings_its_view_back(page, site):
    await fill(site, OLD)
    await fill(site, NEW)

    await page.open(f"{site.url}?model=gfs&run={OLD}&region=pnw&product=t2m&hour=9")

    await shows(page, OLD, "t2m", 9)
    assert await page.evaluate("document.getElementById('run').value") == OLD


async def test_another_product_keeps_the_hour_and_another_run_the_valid_time(page, site):
    await fill(site, OLD)
    await fill(site, NEW)
    await page.open(site.url + "?product=mslp_ptype&hour=3")
    await shows(page, NEW, "mslp_ptype", 3)

    await page.click("#products button[data-id=t2m]")
    await shows(page, NEW, "t2m", 3)
    await page.press("[", "[")
    await shows(page, OLD, "t2m", 9)
    await page.press("]", "]")
    await shows(page, NEW, "t2m", 3)


async def test_an_hour_that_a_product_does_not_have_comes_back_with_the_next(page, site):
    await fill(site, NEW)
    await page.open(site.url + "?product=t2m&hour=0")
    await shows(page, NEW, "t2m", 0)

    await page.click("#products button[data-id=precip_total]")
    await shows(page, NEW, "precip_total", 3)
    await page.click("#products button[data-id=t2m]")
    await shows(page, NEW, "t2m", 0)


async def test_playing_shows_every_hour_whole_and_without_gaps(page, site):
    await fill(site, NEW)
    await page.open(site.url + "?product=t2m&hour=0")
    await shows(page, NEW, "t2m", 0)
    await page.evaluate("document.getElementById('speed').value = '15'")
    await page.evaluate("document.getElementById('speed').dispatchEvent(new Event('change'))")
    await page.evaluate(WATCH)

    await page.press(" ")
    await page.until("shown.length > 7")
    await page.press(" ")

    shown = await page.evaluate("shown")
    assert [hour for hour, _ in shown][:8] == [3, 6, 9, 12, 0, 3, 6, 9]
    assert all(whole for _, whole in shown)
    assert await page.evaluate("document.getElementById('play').ariaLabel") == "Play"


async def test_without_loop_it_stops_at_the_last_hour(page, site):
    await fill(site, NEW)
    await page.open(site.url + "?product=t2m&hour=6")
    await shows(page, NEW, "t2m", 6)

    await page.press("l", "l")
    await page.press(" ")

    await shows(page, NEW, "t2m", 12)
    await page.until("document.getElementById('play').ariaLabel === 'Play'")
    await page.press("l", "l")


async def test_a_press_on_the_strip_goes_to_that_hour(page, site):
    await fill(site, NEW)
    await page.open(site.url + "?product=t2m&hour=0")
    await shows(page, NEW, "t2m", 0)

    await page.click("#ticks .tick:nth-child(4)")
    await shows(page, NEW, "t2m", 9)
    x, y = await page.middle("#ticks .tick:nth-child(2)")
    await page.mouse("mousePressed", x, y, button="left", clickCount=1)
    x, y = await page.middle("#ticks .tick:nth-child(5)")
    await page.mouse("mouseMoved", x, y, button="left", buttons=1)
    await page.mouse("mouseReleased", x, y, button="left", clickCount=1)
    await shows(page, NEW, "t2m", 12)


async def test_where_there_is_no_map_the_reason_stands(page, site):
    await site.open_run("gfs", NEW, HOURS)
    await site.publish("gfs", NEW, 0, ("t2m",))
    await site.publish("gfs", NEW, 3, ("precip_total",), failed=("t2m",))

    await page.open(site.url + "?product=t2m&hour=3")
    await page.until("document.getElementById('note-text').offsetHeight > 0")
    assert await page.evaluate(TEXT.format("note-title")) == "f003 could not be drawn"
    note = await page.evaluate(TEXT.format("note-text"))
    assert note == "Field missing: t2m is not in the file."

    await page.open(site.url + "?product=precip_total&hour=0")
    await page.until("document.getElementById('note-text').textContent.includes('hour 0')")
    states = "[...document.querySelectorAll('#ticks .tick')].map(tick => tick.className)"
    assert (await page.evaluate(states))[:3] == [
        "tick not_applicable",
        "tick published",
        "tick expected",
    ]


async def test_before_the_first_run_there_are_words_and_then_maps_by_themselves(page, site):
    await page.open(site.url)
    words = "document.getElementById('note-title').textContent"
    await page.until(f"{words}.startsWith('The first maps are on their way')")
    await page.until("document.getElementById('live').dataset.mode === 'live'")

    await site.open_run("gfs", NEW, HOURS)
    await site.publish("gfs", NEW, 0, ("mslp_ptype",))

    await shows(page, NEW, "mslp_ptype", 0)
    await page.until("document.getElementById('note').hidden")


async def test_a_run_fills_up_while_one_looks(page, site):
    await fill(site, NEW, upto=3)
    await page.open(site.url + "?product=t2m&hour=3")
    await shows(page, NEW, "t2m", 3)
    await page.until("document.getElementById('live').dataset.mode === 'live'")
    progress = TEXT.format("arrival-text")
    assert await page.evaluate(progress) == "Coming in: 2 of 5 hours"
    await page.press("ArrowRight")
    await page.until("document.getElementById('note-title').textContent === 'f006 is not out yet'")

    await site.publish("gfs", NEW, 6)

    await shows(page, NEW, "t2m", 6)
    await page.until(f"{progress} === 'Coming in: 3 of 5 hours'")


async def test_latest_moves_on_to_the_new_run_once_it_has_the_same_valid_time(page, site):
    await fill(site, OLD)
    await page.open(site.url + "?product=t2m&hour=9")
    await shows(page, OLD, "t2m", 9)
    await page.until("document.getElementById('live').dataset.mode === 'live'")

    await fill(site, NEW, upto=0)
    await page.until("!document.getElementById('newer-run').hidden")
    await shows(page, OLD, "t2m", 9)
    await site.publish("gfs", NEW, 3)

    await shows(page, NEW, "t2m", 3)
    assert await page.evaluate("document.getElementById('run').value") == "latest"
    await page.until("document.getElementById('newer-run').hidden")


async def test_a_chosen_run_stays_when_a_new_one_comes(page, site):
    await fill(site, OLD)
    await page.open(f"{site.url}?run={OLD}&product=t2m&hour=9")
    await shows(page, OLD, "t2m", 9)
    await page.until("document.getElementById('live').dataset.mode === 'live'")

    await fill(site, NEW)

    await page.until(f"document.querySelector('#run option[value=\"{NEW}\"]')?.value")
    await shows(page, OLD, "t2m", 9)


async def test_a_broken_event_stream_is_replaced_by_asking(page, site):
    await fill(site, NEW)
    await page.open(site.url + "?product=t2m&hour=3")
    await page.until("document.getElementById('live').dataset.mode === 'live'")

    site.events.close()

    await page.until("document.getElementById('live').dataset.mode === 'polling'")
    await shows(page, NEW, "t2m", 3)


async def test_links_for_forums_name_the_newest_run_or_this_one(page, site):
    await fill(site, NEW)
    await page.open(site.url + "?product=t2m&hour=6")
    await shows(page, NEW, "t2m", 6)
    code = """import('/viewer/share.js').then(({ links }) => ['latest', 'cycle'].map(run => links(
      { choice: { model: 'gfs', run: 'latest', region: 'pnw', product: 't2m', hour: 6 },
        cycle: '2026012912', title: 'a "map"' }, run, 'https://maps.example')))"""

    latest, cycle = await page.evaluate(code)

    image = "https://maps.example/maps/gfs/latest/pnw/t2m/f006.png"
    link = "https://maps.example/?model=gfs&run=latest&region=pnw&product=t2m&hour=6"
    assert latest["bbcode"] == f"[url={link}][img]{image}[/img][/url]"
    assert latest["markdown"] == f'[![a "map"]({image})]({link})'
    assert 'alt="a &#34;map&#34;"' in latest["html"]
    assert cycle["image"] == "https://maps.example/maps/gfs/2026012912/pnw/t2m/f006.png"
    assert "run=2026012912" in cycle["page"]


async def test_local_days_are_right_where_clocks_change(page, site):
    await page.open(site.url)
    await page.until("document.getElementById('live').dataset.mode === 'live'")
    code = """import('/viewer/times.js').then(({ localDays }) =>
      localDays(Date.UTC(2026, 2, 7, 8), Date.UTC(2026, 2, 10, 7))
        .map(day => (day.to - day.from) / 3600e3))"""

    assert await page.evaluate(code) == [24, 23, 24]  # on 8 March 2026 an hour is left out


@pytest.mark.parametrize(
    ("width", "height"),
    [(360, 640), (390, 844), (768, 1024), (844, 390), (1100, 700), (1440, 900), (2560, 1440)],
)
async def test_everything_fits_into_every_window(page, site, width, height):
    await fill(site, NEW)
    await page.resize(width, height)
    await page.open(site.url + "?product=t2m&hour=6")
    await shows(page, NEW, "t2m", 6)

    boxes = await page.evaluate(
        "Object.fromEntries(['#picture', '#strip', '#play', '#share', '#run', '#help', '#forward']"
        ".map(name => [name, (({ left, top, right, bottom }) => [left, top, right, bottom])"
        "(document.querySelector(name).getBoundingClientRect())]))"
    )

    for name, (left, top, right, bottom) in boxes.items():
        assert 0 <= left < right <= width + 0.5, name
        assert 0 <= top < bottom <= height + 0.5, name
    left, top, right, bottom = boxes["#picture"]
    assert right - left <= 1600
    assert (right - left) / (bottom - top) == pytest.approx(4 / 3, rel=0.01)
    assert boxes["#play"][2] <= boxes["#forward"][0]


@pytest.mark.parametrize("width", [360, 768, 1001, 1280, 1400, 1920])
async def test_how_far_a_run_is_can_be_read_in_every_window(page, site, width):
    await fill(site, OLD, upto=9)
    await site.open_run("gfs", NEW, HOURS, notice="synthetic demo data, of no use whatever")
    await site.publish("gfs", NEW, 0, ("t2m",))
    await page.resize(width, 800)
    await page.open(f"{site.url}?product=t2m&hour=0&run={NEW}")
    await shows(page, NEW, "t2m", 0)
    text = TEXT.format("arrival-text")
    await page.until(f"{text} === 'Coming in: 1 of 5 hours'")
    assert await page.evaluate(CUT) == []

    await page.open(f"{site.url}?product=t2m&hour=0&run={OLD}")  # and a newer one to be shown
    await shows(page, OLD, "t2m", 0)
    await page.until("!document.getElementById('newer-run').hidden")
    assert await page.evaluate(CUT) == []

    site.tree.hold("disk nearly full: publish_dir")
    await site.tree.flush()
    site.events.emit(RUN_STARTED, {"model": "gfs", "cycle": NEW})
    await page.until(f"{text}.endsWith('on hold: disk nearly full: publish_dir')")
    assert await page.evaluate(CUT) == []


async def test_dark_or_light_is_remembered(page, site):
    await page.prefer(prefers_color_scheme="light")
    await page.open(site.url)
    await page.until("document.getElementById('live').dataset.mode")
    ground = "getComputedStyle(document.body.parentElement).backgroundColor"
    light = await page.evaluate(ground)

    await page.press("t", "t")
    dark = await page.evaluate(ground)
    await page.open(site.url + "?again")
    await page.until("document.getElementById('live').dataset.mode")

    assert dark != light
    assert await page.evaluate(ground) == dark


async def test_the_help_opens_and_keeps_its_keys(page, site):
    await fill(site, NEW)
    await page.open(site.url + "?product=t2m&hour=6")
    await shows(page, NEW, "t2m", 6)

    await page.press("?", "?")
    await page.until("document.getElementById('help-dialog').open")
    await page.press("ArrowRight")

    await shows(page, NEW, "t2m", 6)


async def test_a_newer_run_can_be_shown_before_it_is_complete(page, site):
    await fill(site, OLD)
    await fill(site, NEW, upto=0)
    await page.open(site.url + "?product=t2m&hour=12")
    await shows(page, OLD, "t2m", 12)

    await page.click("#newer-run")

    await shows(page, NEW, "t2m", 0)
    assert await page.evaluate("document.getElementById('run').value") == "latest"


async def test_a_run_that_is_gone_is_named_and_the_latest_offered(page, site):
    await fill(site, NEW)
    await page.open(f"{site.url}?run={OLD}&product=t2m&hour=6")
    title = "document.getElementById('note-title').textContent"
    await page.until(f"{title} === 'This run is no longer there'")
    page.errors.clear()  # the browser notes the 404 of the manifest

    await page.click("#note-action")

    await page.until(f"{SHOWN}?.includes('/{NEW}/pnw/t2m/')")


async def test_a_run_that_goes_while_it_is_looked_at_is_named(page, site):
    await fill(site, OLD)
    await fill(site, NEW)
    await page.open(f"{site.url}?run={OLD}&product=t2m&hour=6")
    await shows(page, OLD, "t2m", 6)
    await page.until(f"{TEXT.format('newer-run')} === '12Z is coming in: show it'")
    await site.tree.finish_run("gfs", NEW, RunState.COMPLETE)

    await site.tree.evict_run("gfs", OLD)
    site.events.emit(RUN_STARTED, {"model": "gfs", "cycle": NEW})

    title = "document.getElementById('note-title').textContent"
    await page.until(f"{title} === 'This run is no longer there'")
    assert await page.evaluate(TEXT.format("arrival-text")) == ""
    assert await page.evaluate(TEXT.format("newer-run")) == "12Z is online: show it"
    page.errors.clear()  # the browser notes the 404 of the manifest


async def test_who_looks_at_the_latest_run_is_led_on_when_that_goes(page, site):
    await fill(site, OLD)
    await fill(site, NEW, upto=3)  # not the hour that is looked at
    await page.open(site.url + "?product=t2m&hour=12")
    await shows(page, OLD, "t2m", 12)

    await site.tree.evict_run("gfs", OLD)
    site.events.emit(RUN_STARTED, {"model": "gfs", "cycle": NEW})

    await shows(page, NEW, "t2m", 3)
    page.errors.clear()  # the browser notes the 404 of the manifest


async def test_a_server_that_does_not_answer_is_named_beside_the_map(page, site):
    await fill(site, NEW)
    await page.open(site.url + "?product=t2m&hour=6")
    await shows(page, NEW, "t2m", 6)
    await page.until(f"{TEXT.format('arrival-text')} === 'All 5 hours online'")

    await site.server.close()

    await page.until(f"{TEXT.format('arrival-text')} === 'The server does not answer'")
    await page.until("document.getElementById('arrival').title === ''")
    await shows(page, NEW, "t2m", 6)  # what is known is still shown
    page.errors.clear()  # the browser notes each try


async def test_who_is_offline_is_told_so_and_goes_on_when_it_is_over(page, site):
    await fill(site, NEW)
    await site.tree.finish_run("gfs", NEW, RunState.COMPLETE)  # nothing is asked for by itself
    await page.open(site.url + "?product=t2m&hour=6")
    await shows(page, NEW, "t2m", 6)
    offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    progress = "document.getElementById('arrival-text').textContent"

    await page.send("Network.emulateNetworkConditions", offline=True, **offline)
    await page.until(f"{progress} === 'You are offline'")
    await shows(page, NEW, "t2m", 6)  # what was loaded is still there
    await page.send("Network.emulateNetworkConditions", offline=False, **offline)

    await page.until(f"{progress} === 'All 5 hours online'")
    page.errors.clear()  # the browser notes each try


async def test_a_map_of_an_earlier_style_says_so_and_another_does_not(page, site):
    await fill(site, NEW)
    site.tree.restyle("gfs", NEW, {("pnw", "t2m"): "another"})
    await site.tree.flush()

    await page.open(site.url + "?product=t2m&hour=6")
    await shows(page, NEW, "t2m", 6)
    assert await page.evaluate(TEXT.format("notice")) == "in an earlier style"

    await page.open(site.url + "?product=mslp_ptype&hour=6")
    await shows(page, NEW, "mslp_ptype", 6)
    assert await page.evaluate("document.getElementById('notice').hidden")
