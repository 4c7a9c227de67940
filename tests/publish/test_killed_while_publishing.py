"""SIGKILL at every step that publishing takes on disk; the next start must find no lie."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from twf_async.publish.tree import PublishedTree

CYCLE, DOOMED = "2026012912", "2026012900"
NAMES = [(region, product) for region in ("pnw", "conus") for product in ("t2m", "refc")]

# One process imports everything, then forks a child for each step. The audit hook sees each rename,
# directory and opened file before it happens.
DRIVER = """
import asyncio, os, signal, sys
from pathlib import Path
import publishing_victim

root = Path(sys.argv[1])
for step in range(1, 1000):
    child = os.fork()
    if child == 0:
        asyncio.run(publishing_victim.work(root / str(step), step))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
        sys.exit(os.waitstatus_to_exitcode(status))
"""
VICTIM = """
import hashlib, os, signal, sys
from twf_async.publish.tree import PublishedTree
from render_farm.domain.jobs import Frame, HourRendered, ValueGridFile

WATCHED = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "open"}
PNG, VALUES = bytes.fromhex(%(png)r), bytes.fromhex(%(values)r)


def frames(staging, cycle, hour):
    found = []
    staging.mkdir(exist_ok=True)
    for region, product in %(names)r:
        path = staging / f"{region}.{product}.png"
        path.write_bytes(PNG)
        digest = hashlib.sha256(PNG).hexdigest()
        beside = path.with_suffix(".vgrid")
        beside.write_bytes(VALUES)
        values = ValueGridFile(str(beside), len(VALUES), hashlib.sha256(VALUES).hexdigest())
        frame = Frame(region, product, str(path), len(PNG), digest, 3, 2, 0.0, values=values)
        found.append(frame)
    return HourRendered("gfs", cycle, hour, tuple(found), (), 0.0, 0.0, 0.0, 1)


async def work(root, step):
    left = step
    armed = False

    def count(event, arguments):
        nonlocal left
        if not armed or event not in WATCHED or not str(arguments[0]).startswith(str(root)):
            return
        if event == "open" and arguments[1] == "r":
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    tree = PublishedTree(root)
    await tree.start()
    what = dict(hours=(0, 6), regions=("pnw", "conus"), products=("t2m", "refc"))
    for cycle in (%(cycle)r, %(doomed)r):
        await tree.open_run("gfs", cycle, **what)
        await tree.publish(frames(await tree.new_staging("gfs", cycle, 0), cycle, 0))
    late = frames(await tree.new_staging("gfs", %(cycle)r, 6), %(cycle)r, 6)
    armed = True
    await tree.publish(late)
    await tree.evict_run("gfs", %(doomed)r)
    armed = False
    await tree.stop()
"""


@pytest.fixture
def killed(tmp_path, staged):
    """One directory for each step, as a process killed just before it left it."""
    one = staged(tmp_path / "one").frames[0]
    picture, values = Path(one.path).read_bytes(), Path(one.values.path).read_bytes()
    facts = {"png": picture.hex(), "values": values.hex(), "names": NAMES}
    facts |= {"cycle": CYCLE, "doomed": DOOMED}
    (tmp_path / "publishing_victim.py").write_text(VICTIM % facts)
    roots = tmp_path / "roots"
    roots.mkdir()
    path = f"{tmp_path}:{Path(__file__).parents[2]}"
    driver = subprocess.run(
        [sys.executable, "-c", DRIVER, str(roots)],
        capture_output=True,
        text=True,
        timeout=100,
        env=os.environ | {"PYTHONPATH": path},
        check=False,
    )
    assert driver.returncode == 0, driver.stderr
    killed = sorted(roots.iterdir(), key=lambda root: int(root.name))[:-1]
    assert len(killed) > 16
    return killed


async def test_after_a_kill_at_any_step_the_manifest_names_only_frames_that_are_there(killed):
    seen = set()
    for root in killed:
        _nothing_named_is_missing(root)
        tree = PublishedTree(root)
        await tree.start()
        online = tree.published("gfs", CYCLE)
        assert {(*name, 0) for name in NAMES} <= online
        assert list(tree.staging.iterdir()) == []
        old = len(tree.published("gfs", DOOMED))
        assert old in {0, 4}  # deleted as a whole, or not at all
        assert old or all(tree.was_published("gfs", DOOMED, *name, 0) for name in NAMES)
        seen.add((len(online), old))
        await tree.stop()
        _nothing_named_is_missing(root)
    assert seen == {(4, 4), (8, 4), (8, 0)}


def _nothing_named_is_missing(root):
    for path in root.glob("maps/*/*/manifest.json"):
        for region, products in json.loads(path.read_bytes())["frames"].items():
            for product, hours in products.items():
                for name, record in hours.items():
                    if record["state"] == "published":
                        frame = path.parent / region / product / f"{name}.png"
                        assert frame.stat().st_size == record["bytes"]
                        values = frame.with_suffix(".vgrid")
                        assert values.stat().st_size == record["values"]["bytes"]
