import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.service import Service

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def log(self):
        """The JSON lines of stderr."""
        return [json.loads(line) for line in self.err.splitlines() if line.startswith("{")]


@dataclass
class CommandLine:
    """`twf-async` as an operator calls it, over a state of its own."""

    root: Path
    environ: dict

    def __call__(self, *arguments, cwd=REPOSITORY, timeout=100, **environ) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "twf_async", *map(str, arguments)],
            cwd=cwd,
            env=os.environ | self.environ | environ,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def manifest(self, model, cycle):
        path = self.root / "publish" / "maps" / model / cycle / "manifest.json"
        return json.loads(path.read_text())

    def published(self, model, cycle):
        """(product, hour) of every published frame, and its picture."""
        found = {}
        for region, products in self.manifest(model, cycle)["frames"].items():
            for product, hours in products.items():
                for hour, record in hours.items():
                    if record["state"] == "published":
                        path = f"maps/{model}/{cycle}/{region}/{product}/{hour}.png"
                        found[product, hour] = self.root / "publish" / path
        return found


@pytest.fixture
def state(tmp_path):
    return {
        "TWF_STATE_DIR": str(tmp_path / "state"),
        "TWF_CACHE_DIR": str(tmp_path / "cache"),
        "TWF_PUBLISH_DIR": str(tmp_path / "publish"),
        "TWF_FARM__WORKERS": "1",
    }


@pytest.fixture(scope="session")
def demo_cache(tmp_path_factory):
    """A cache for those who draw the synthetic atmosphere: whole globes take seconds to pack."""
    return {"TWF_CACHE_DIR": str(tmp_path_factory.mktemp("demo-cache"))}


@pytest.fixture
def twf(tmp_path, state):
    return CommandLine(tmp_path, state)


@pytest.fixture
def replica_root(test_data):
    """What the replica serves."""
    return test_data / "nomads"


@pytest.fixture
def replica(replica_root):
    """The command itself, serving the real files; yields its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "twf_async", "replica", "--root", replica_root],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process.stdout.readline().strip()
    process.terminate()
    process.communicate(timeout=10)


@pytest.fixture
def rehearsal(twf, replica):
    """The command line pointed at the replica."""
    twf.environ["TWF_UPSTREAM__NOMADS_URL"] = replica
    twf.environ["TWF_UPSTREAM__REQUESTS_PER_MIN"] = "6000"
    return twf


@pytest.fixture
def config(config_dir, tmp_path):
    return Path(shutil.copytree(config_dir, tmp_path / "config"))


@pytest.fixture
def start(replica, state, config, tmp_path):
    started = []

    def _start(prefix=(), **more):
        environ = state | {
            "TWF_UPSTREAM__NOMADS_URL": replica,
            "TWF_UPSTREAM__REQUESTS_PER_MIN": "6000",
            # GFS has come in to hour 6 here; nothing is given up yet.
            "TWF_CLOCK__START": "2026-01-29T17:30:00Z",
            "TWF_MODELS__GFS__POLL_S": "0.5",
            "TWF_MODELS__AIGFS__ENABLED": "false",
            "TWF_MODELS__HRRR__ENABLED": "false",
            **more,
        }
        started.append(Service(environ, tmp_path / "log.jsonl", config, prefix))
        return started[-1]

    yield _start
    for service in started:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()
