import json
import os
import shutil
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.prepared import Prepared
from tests.integration.service import Service, unhurried

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
    prepared: Prepared

    def __call__(self, *arguments, cwd=REPOSITORY, timeout=240, **environ) -> Outcome:
        done = self.prepared.run(
            [*map(str, arguments)],
            cwd=cwd,
            env=os.environ | self.environ | environ,
            timeout=timeout,
        )
        return Outcome(done.returncode, done.stdout, unhurried(done.stderr))

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


def state_below(root):
    return {
        "TWF_STATE_DIR": str(root / "state"),
        "TWF_CACHE_DIR": str(root / "cache"),
        "TWF_PUBLISH_DIR": str(root / "publish"),
        "TWF_FARM__WORKERS": "1",
        "TWF_LOGS__LEVEL": "info",  # else a command that ends logs nothing
    }


def asking_of(replica):
    return {"TWF_UPSTREAM__NOMADS_URL": replica, "TWF_UPSTREAM__REQUESTS_PER_MIN": "6000"}


@pytest.fixture(scope="session")
def maps(tmp_path_factory):
    """Pixel maps that those share who look at something else: they depend on the region alone."""
    return tmp_path_factory.mktemp("pixelmaps")


def with_maps(root, maps):
    """As `state_below`, and what a cache may lose at any time is there."""
    (root / "cache").mkdir(parents=True)
    (root / "cache" / "pixelmaps").symlink_to(maps, target_is_directory=True)
    return state_below(root)


@pytest.fixture
def state(tmp_path, maps):
    return with_maps(tmp_path, maps)


@pytest.fixture(scope="session")
def demo_cache(tmp_path_factory):
    """A cache for those who draw the synthetic atmosphere: whole globes take seconds to pack."""
    return {"TWF_CACHE_DIR": str(tmp_path_factory.mktemp("demo-cache"))}


@pytest.fixture(scope="session")
def prepared():
    with closing(Prepared(REPOSITORY)) as prepared:
        yield prepared


@pytest.fixture
def twf(tmp_path, state, prepared):
    return CommandLine(tmp_path, state, prepared)


@contextmanager
def serving(root):
    """The replica's own command, serving a directory; yields its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "twf_async", "replica", "--root", root],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process.stdout.readline().strip()
    process.terminate()
    process.communicate(timeout=60)


@pytest.fixture(scope="session")
def replica(test_data):
    """The address of one that serves the real files, to all modules: it remembers nobody."""
    with serving(test_data / "nomads") as address:
        yield address


@pytest.fixture
def rehearsal(twf, replica):
    """The command line pointed at the replica."""
    twf.environ |= asking_of(replica)
    return twf


@pytest.fixture(scope="module")
def rehearse(replica, prepared, maps, tmp_path_factory):
    """Makes the same for a run that several tests look at."""

    def make(name):
        root = tmp_path_factory.mktemp(name)
        return CommandLine(root, with_maps(root, maps) | asking_of(replica), prepared)

    return make


@pytest.fixture
def config(config_dir, tmp_path):
    return Path(shutil.copytree(config_dir, tmp_path / "config"))


@contextmanager
def starting(replica, state, config, log, prepared=None):
    """Starts services; whatever is left of them at the end is killed. *prepared*: see Service."""
    started = []

    def start(prefix=(), **more):
        environ = state | asking_of(replica)
        environ |= {
            # GFS has come in to hour 6 here; nothing is given up yet.
            "TWF_CLOCK__START": "2026-01-29T17:30:00Z",
            "TWF_MODELS__GFS__POLL_S": "0.5",
            "TWF_MODELS__AIGFS__ENABLED": "false",
            "TWF_MODELS__HRRR__ENABLED": "false",
        }
        started.append(Service(environ | more, log, config, prefix, prepared))
        return started[-1]

    yield start
    for service in started:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()


@pytest.fixture
def start(replica, state, config, tmp_path, prepared):
    with starting(replica, state, config, tmp_path / "log.jsonl", prepared) as start:
        yield start


@pytest.fixture
def start_from_nothing(replica, state, config, tmp_path):
    """For those who look at how a service begins, ends, or is limited by the system."""
    with starting(replica, state, config, tmp_path / "log.jsonl") as start:
        yield start
