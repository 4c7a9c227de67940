"""A site of our own with real pictures, and a real browser that looks at it."""

import hashlib
import struct
import zlib
from datetime import UTC, datetime

import pytest
from aiohttp.test_utils import TestServer

from render_farm.domain.jobs import Frame, FrameFailure, HourRendered, Reason
from tests.browser import chromium
from twf_async.clock import Clock
from twf_async.pipeline.gate import OPERATOR, DispatchGate
from twf_async.publish.document import FrameChange
from twf_async.publish.events import FRAME_PUBLISHED, RUN_STARTED, STATUS_CHANGED, EventBus
from twf_async.publish.manifest import FrameState
from twf_async.publish.tree import PublishedTree
from twf_async.settings.load import load
from twf_async.web.application import create_app
from twf_async.web.context import WebContext

PRODUCTS = ("mslp_ptype", "t2m", "precip_total")
TIMEZONE = "America/Los_Angeles"
CONFIG_HASH = "0123456789abcdef"


def png(shade, width=160, height=120):
    """A grey picture; a real file that a browser decodes."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = (b"\0" + bytes([shade % 256]) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


class Site:
    """A published tree behind the real web application; runs come in as a test says."""

    def __init__(self, tree, events, server, gate):
        self.tree, self.events, self.server, self.gate = tree, events, server, gate

    @property
    def url(self):
        return str(self.server.make_url("/"))

    async def pause(self, reason):
        await self.gate.pause(reason, by=OPERATOR)
        self.events.emit(STATUS_CHANGED, {"gate": self.gate.status()})

    async def resume(self):
        await self.gate.resume(by=OPERATOR)
        self.events.emit(STATUS_CHANGED, {"gate": self.gate.status()})

    async def open_run(self, model, cycle, hours, products=PRODUCTS, notice=""):
        what = {"hours": hours, "regions": ("pnw",), "products": products, "notice": notice}
        await self.tree.open_run(model, cycle, **what)
        if "precip_total" in products:
            nothing = (FrameState.NOT_APPLICABLE, "a total has nothing at hour 0")
            change = FrameChange("pnw", "precip_total", 0, *nothing)
            self.tree.mark(model, cycle, [change])
            await self.tree.flush()
        self.events.emit(RUN_STARTED, {"model": model, "cycle": cycle})

    async def publish(self, model, cycle, hour, products=PRODUCTS, failed=()):
        staging = await self.tree.new_staging(model, cycle, hour)
        frames = []
        for product in products:
            body = png(hour * 7 + len(product))
            path = staging / f"pnw.{product}.png"
            path.write_bytes(body)
            digest = hashlib.sha256(body).hexdigest()
            facts = (str(path), len(body), digest, 1600, 1200, 0.1)
            frames.append(Frame("pnw", product, *facts, config_hash=CONFIG_HASH))
        failures = tuple(
            FrameFailure("pnw", product, Reason.FIELD_MISSING, f"{product} is not in the file")
            for product in failed
        )
        rendered = HourRendered(model, cycle, hour, tuple(frames), failures, 0.1, 0.2, 100.0, 1)
        for frame in await self.tree.publish(rendered):
            facts = {"model": model, "cycle": cycle, "hour": hour, "region": frame.region}
            facts |= {"product": frame.product, "hash": frame.sha256[:16]}
            self.events.emit(FRAME_PUBLISHED, facts)


@pytest.fixture
async def site(tmp_path, config_dir):
    """A site without any run."""
    settings = load(config_dir, {})
    tree, events = PublishedTree(tmp_path / "publish", write_every_s=0.05), EventBus()
    gate = DispatchGate()
    await tree.start()
    context = WebContext(
        settings=lambda: settings,
        tree=tree,
        events=events,
        clock=Clock(start=datetime(2026, 1, 29, 16, tzinfo=UTC)),
        bin_colours=lambda: dict.fromkeys(settings.catalog.scales, ("", "#ff0000")),
        status=lambda: {"models": {}, "gate": gate.status()},
        not_ready=list,
    )
    async with TestServer(create_app(context)) as server:
        yield Site(tree, events, server, gate)
    await tree.stop()


@pytest.fixture(scope="session")
def devtools(tmp_path_factory):
    """One browser for all tests; each has a tab and, by its port, a site of its own."""
    if not chromium.executable():
        pytest.skip("Chromium is not installed (apt-get install chromium, or set TWF_CHROMIUM)")
    with chromium.running(tmp_path_factory.mktemp("chromium"), timezone=TIMEZONE) as port:
        yield port


@pytest.fixture
async def page(devtools, site):  # which is there for as long as the tab still loads from it
    """A tab as large as a small laptop."""
    async with chromium.tab(devtools) as page:
        await page.resize(1280, 800)
        yield page
        assert page.errors == []
