import hashlib
from datetime import UTC, datetime

import pytest
from aiohttp.test_utils import TestClient, TestServer

from render_farm.domain.jobs import Frame, FrameFailure, HourRendered, Reason, ValueGridFile
from twf_async.clock import Clock
from twf_async.publish.events import EventBus
from twf_async.publish.tree import PublishedTree
from twf_async.settings.load import load
from twf_async.web.application import create_app
from twf_async.web.context import WebContext

PNG = b"\x89PNG\r\n\x1a\n"
VGRID = b"\x89VGR\1\0"  # the web part serves bytes, whatever they are
OLD, NEW = "2026012906", "2026012912"


@pytest.fixture
async def tree(tmp_path):
    """Two GFS runs: the older one whole up to hour 6, the newer one just beginning."""
    tree = PublishedTree(tmp_path / "publish")
    await tree.start()
    for cycle in (OLD, NEW):
        await tree.open_run(
            "gfs", cycle, hours=(0, 3, 6), regions=("pnw",), products=("t2m", "refc")
        )
    for hour in (0, 3, 6):
        await publish(tree, OLD, hour, {"t2m": b"old %d" % hour, "refc": b"echo %d" % hour})
    await publish(tree, NEW, 0, {"t2m": b"new 0"}, failed=("refc",))
    yield tree
    await tree.stop()


async def publish(tree, cycle, hour, pictures, failed=(), *, values=True):
    staging = await tree.new_staging("gfs", cycle, hour)
    frames = []
    for product, text in pictures.items():
        path = staging / f"pnw.{product}.png"
        path.write_bytes(PNG + text)
        digest = hashlib.sha256(PNG + text).hexdigest()
        beside = _values(path.with_suffix(".vgrid"), text) if values else None
        size = path.stat().st_size
        frames.append(
            Frame("pnw", product, str(path), size, digest, 1600, 1200, 0.1, values=beside)
        )
    failures = tuple(
        FrameFailure("pnw", product, Reason.FIELD_MISSING, f"{product} is not in the file")
        for product in failed
    )
    rendered = HourRendered("gfs", cycle, hour, tuple(frames), failures, 0.1, 0.2, 100.0, 1)
    await tree.publish(rendered)


def _values(path, text):
    path.write_bytes(VGRID + text)
    digest = hashlib.sha256(VGRID + text).hexdigest()
    return ValueGridFile(str(path), path.stat().st_size, digest)


@pytest.fixture
def events():
    bus = EventBus()
    yield bus
    bus.close()


@pytest.fixture
def reasons():
    return []


@pytest.fixture
async def client(tree, events, config_dir, reasons):
    settings = load(config_dir, {})
    context = WebContext(
        settings=lambda: settings,
        tree=tree,
        events=events,
        clock=Clock(start=datetime(2026, 1, 29, 16, tzinfo=UTC)),
        bin_colours=lambda: dict.fromkeys(settings.catalog.scales, ("", "#ff0000")),
        status=lambda: {"models": {}},
        not_ready=lambda: list(reasons),
    )
    async with TestClient(TestServer(create_app(context))) as client:
        yield client
