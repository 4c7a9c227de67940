"""The farm that a configuration makes on this machine, with what the ledger remembers."""

import multiprocessing
import os
import subprocess
import sys

import psutil
import pytest

from tests.emergency.machine import memory_group
from twf_async.app.assembly import make_farm, memory
from twf_async.errors import BadConfiguration
from twf_async.farm.remote.farm import RemoteFarm
from twf_async.pipeline.gate import DispatchGate
from twf_async.settings.load import load


@pytest.fixture
def make(config_dir):
    context = multiprocessing.get_context("forkserver")

    def make(peaks_mb, **environ):
        settings = load(config_dir, {f"TWF_FARM__{key}": value for key, value in environ.items()})
        return make_farm(settings, context, peaks_mb, DispatchGate())

    return make


def test_jobs_are_counted_as_the_ledger_remembers_them(make):
    assert make({"gfs": 300.0, "hrrr": 500.0}).worker_mb == pytest.approx(550)
    assert make({}, WORKER_GB="0.25").worker_mb == 256


def test_a_model_that_takes_all_memory_still_has_a_slot(make):
    limit_mb = memory()[0] / 2**20

    farm = make({"gfs": limit_mb, "hrrr": limit_mb, "aigfs": limit_mb})

    assert farm.size == 1


def test_there_is_at_most_a_slot_for_each_processor_unless_it_is_said(make):
    assert make({}, WORKER_GB="0.001").size <= len(os.sched_getaffinity(0))
    assert make({}, WORKERS="7").size == 7


def test_with_dask_there_is_one_slot_here_whatever_the_machine_carries(make):
    pytest.importorskip("distributed", reason="dask.distributed is not installed")

    farm = make({}, BACKEND="dask", SCHEDULER="tcp://127.0.0.1:8786", WORKERS="7")

    assert isinstance(farm, RemoteFarm)
    assert farm.size == 1
    assert farm.cluster_status() == {"joined": False, "fault": "", "workers": 0, "refused": []}


@pytest.mark.parametrize("scheduler", ["", "10.0.0.1:8786", "http://10.0.0.1:8786", "tcp://host"])
def test_dask_wants_the_address_of_its_scheduler(make, scheduler):
    with pytest.raises(BadConfiguration, match="service.toml.*write it as 'tcp://host:8786'"):
        make({}, BACKEND="dask", SCHEDULER=scheduler)


ROOMS = """
import sys
from tests.emergency.machine import memory_group
from twf_async.app.assembly import make_machine
from twf_async.pipeline.gate import DispatchGate
from twf_async.settings.service import FarmSettings
machine = make_machine(FarmSettings(reserve_gb=0.25), DispatchGate())
for _ in sys.stdin:
    print(machine.room().budget_mb, flush=True)
"""


def test_jobs_are_admitted_by_the_limit_of_now():
    """As `systemctl set-property MemoryMax=` changes it while the service runs."""
    budgets = []
    with memory_group(1000) as group:
        if group is None:
            pytest.skip("no control group with a limit of memory can be made here")
        asked = subprocess.Popen(
            [*group.join, sys.executable, "-c", ROOMS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for limit_mb in (1000, 600, 1200):
            group.limit(limit_mb)
            asked.stdin.write("\n")
            asked.stdin.flush()
            budgets.append(float(asked.stdout.readline()))
        asked.communicate()

    assert budgets == [1000 - 256, 600 - 256, 1200 - 256]


def test_memory_is_never_more_than_the_machine_has():
    limit, available = memory()

    assert 0 < available <= limit <= psutil.virtual_memory().total
