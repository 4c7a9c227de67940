"""Two runs to look at, and how to tell what the viewer shows of them."""

OLD, NEW = "2026012906", "2026012912"
HOURS = (0, 3, 6, 9, 12)
SHOWN = "document.querySelector('#picture img')?.getAttribute('src')"
TEXT = "document.getElementById({!r}).textContent"


async def fill(site, cycle, hours=HOURS, upto=99, products=("mslp_ptype", "t2m", "precip_total")):
    await site.open_run("gfs", cycle, hours)
    for hour in [hour for hour in hours if hour <= upto]:
        there = tuple(p for p in products if hour or p != "precip_total")
        await site.publish("gfs", cycle, hour, there)


async def shows(page, cycle, product, hour):
    part = f"/maps/gfs/{cycle}/pnw/{product}/f{hour:03d}.png?v="
    await page.until(f"{SHOWN}?.startsWith({part!r})")
