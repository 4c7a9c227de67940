"""A run whose maps are drawn by a dask cluster, from the command to the published tree."""

import hashlib

import pytest

pytest.importorskip("distributed", reason="dask.distributed is not installed (twf-async[dask])")

from tests.farm.dask_cluster import Cluster, unused_port

HRRR = "2026012917"


@pytest.fixture
def cluster(tmp_path):
    (tmp_path / "dask").mkdir()
    cluster = Cluster(tmp_path / "dask", unused_port())
    cluster.start_scheduler()
    cluster.start_workers(2)
    yield cluster
    cluster.stop()


def contents(command_line):
    """(product, hour) of every published frame, with the digests of picture and values."""
    return {
        name: [
            hashlib.sha256(path.with_suffix(suffix).read_bytes()).hexdigest()
            for suffix in (".png", ".vgrid")
        ]
        for name, path in command_line.published("hrrr", HRRR).items()
    }


@pytest.mark.soak
def test_a_run_drawn_by_a_cluster_is_the_one_drawn_here_to_the_bit(rehearsal, cluster, tmp_path):
    command = ("run", "--model", "hrrr", "--cycle", HRRR, "--hours", "1,6")
    rehearsal(*command)
    here = contents(rehearsal)
    other = tmp_path / "other"
    rehearsal.root = other

    done = rehearsal(
        *command,
        TWF_STATE_DIR=str(other / "state"),
        TWF_CACHE_DIR=str(other / "cache"),
        TWF_PUBLISH_DIR=str(other / "publish"),
        TWF_FARM__BACKEND="dask",
        TWF_FARM__SCHEDULER=cluster.address,
        TWF_LOGS__FORMAT="json",
    )

    assert done.code == 3, done.err  # what the files do not hold is missing either way
    assert len(here) >= 4
    assert contents(rehearsal) == here
    events = [line["event"] for line in done.log]
    assert events.count("farm.remote_worker_joined") == 2
    assert not {"farm.job_lost", "farm.job_kept_here", "farm.cluster_lost"} & {*events}
