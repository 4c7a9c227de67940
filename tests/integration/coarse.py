"""Runs that cost little for a daemon that is a process of its own: globes at 2.5 degrees.

    with Upstream(test_data, {"gfs": [CYCLE]}) as upstream:
        service = Coarse(tmp_path, upstream)
        service.wait_ended()

All hours are there from the beginning; what takes time is fetching and drawing.
"""

import asyncio
import hashlib
import re
import shutil
import threading
from pathlib import Path

from tests.acquisition.redated import RedatedTree
from tests.acquisition.rehearsal import COARSE_SIZE
from tests.integration.service import DEADLINE_S, REPOSITORY, Service
from twf_async.replica.running import running

CYCLE = "2026012912"
NOW = "2026-01-29T18:30:00Z"
PRODUCTS = ("t2m", "t850", "precip_total", "precip_6h")


class Upstream:
    """A replica in a thread of its own, until the block ends."""

    def __init__(self, test_data, cycles):
        self._tree = RedatedTree(test_data, cycles)
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self.url = ""

    def __enter__(self):
        self._thread.start()
        assert self._started.wait(60)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(60)

    async def _serve(self):
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        async with running(self._tree) as replica:
            self.url = replica.url
            self._started.set()
            await self._end.wait()


def small_config(place: Path, *, products=PRODUCTS) -> Path:
    """The configuration that is shipped, with one small region and few products of GFS."""
    config = Path(shutil.copytree(REPOSITORY / "config", place))
    names = ", ".join(f'"{key}"' for key in products)
    edit(config / "models.toml", r"products = \[[^]]*\]", f"products = [{names}]")
    edit(config / "models.toml", r'regions  = \["pnw"\]', 'regions  = ["west"]')
    edit(config / "regions.toml", r"\[west\]\n", "[west]\nwidth_px = 320\nheight_px = 400\n")
    return config


def edit(path: Path, pattern: str, by: str) -> None:
    """Replace the first place that *pattern* fits, as an editor does: the file is whole always."""
    text, count = re.subn(pattern, lambda _: by, path.read_text(), count=1)
    assert count == 1, f"{pattern!r} is not in {path}"
    aside = path.with_suffix(".new")
    aside.write_text(text)
    aside.replace(path)


class Coarse(Service):
    """The daemon over *root*, following GFS; further environment by name.

    *prepared*: what it is forked from; None: it starts from nothing.
    """

    def __init__(
        self,
        root: Path,
        upstream: Upstream,
        config: Path,
        *,
        hours="0-21/3",
        prepared=None,
        **more,
    ):
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        environ = {
            "TWF_STATE_DIR": str(root / "state"),
            "TWF_CACHE_DIR": str(root / "cache"),
            "TWF_PUBLISH_DIR": str(root / "publish"),
            "TWF_UPSTREAM__NOMADS_URL": upstream.url,
            "TWF_UPSTREAM__REQUESTS_PER_MIN": "6000",
            "TWF_FARM__WORKERS": "2",
            "TWF_CLOCK__START": NOW,
            "TWF_MODELS__GFS__HOURS": hours,
            "TWF_MODELS__GFS__GRID": COARSE_SIZE,
            "TWF_MODELS__AIGFS__ENABLED": "false",
            "TWF_MODELS__HRRR__ENABLED": "false",
        }
        super().__init__(environ | more, root / "log.jsonl", config, prepared=prepared)

    def manifest(self, cycle=CYCLE):
        return self.json(f"/api/v1/runs/gfs/{cycle}")

    def frames(self, cycle=CYCLE):
        """(region, product, hour) -> record, of what is online."""
        return {
            (region, product, hour): record
            for region, products in self.manifest(cycle).get("frames", {}).items()
            for product, hours in products.items()
            for hour, record in hours.items()
            if record["state"] == "published"
        }

    def hashes(self, cycle=CYCLE):
        return {name: record["hash"] for name, record in self.frames(cycle).items()}

    def old(self, cycle=CYCLE):
        """Frames online that are marked as of an earlier configuration."""
        return {name for name, record in self.frames(cycle).items() if record.get("old_style")}

    def state(self, cycle=CYCLE):
        return self.manifest(cycle).get("state")

    def wait_ended(self, cycle=CYCLE, within_s=2 * DEADLINE_S):
        self.wait_for(
            lambda: self.state(cycle) == "complete", f"{cycle} complete", within_s=within_s
        )

    def wait_some(self, count):
        return self.wait_for(
            lambda: len(self.frames()) >= count and self.frames(), f"{count} frames"
        )

    def picture(self, name, cycle=CYCLE):
        region, product, hour = name
        return self.root / "publish" / "maps" / "gfs" / cycle / region / product / f"{hour}.png"

    def files_are_as_said(self, cycle=CYCLE):
        """Whether every picture online is the one that the manifest names."""
        return all(
            hashlib.sha256(self.picture(name, cycle).read_bytes()).hexdigest().startswith(digest)
            for name, digest in self.hashes(cycle).items()
        )

    def reload(self):
        """A SIGHUP, and the new configuration in force."""
        before = len(self.events("app.reloaded"))
        self.process.send_signal(1)
        self.wait_event("app.reloaded", before + 1)
