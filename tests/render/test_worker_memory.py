"""What a worker holds between jobs, and what it says of a job's memory. Linux."""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from render_farm.worker import entry
from render_farm.worker.memory import keep_within_a_job
from twf_async.farm.memory import rss_mb

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def mapped_files():
    """Names of the files that this process has mapped from a cache of maps."""
    lines = Path("/proc/self/maps").read_text(encoding="ascii").splitlines()
    return [line.split("/")[-1] for line in lines if line.endswith(".pixelmap")]


def twice(job):
    """Two outcomes of a job, a worker that held 400 MB for a moment before the first.

    And by how much more it holds after the second, before which it held 60 MB in small pieces.
    """
    keep_within_a_job()
    hoard = np.ones(50_000_000)
    del hoard
    first, held_mb = entry.render(job), rss_mb(os.getpid())
    pieces = [np.ones(1 << 17) for _ in range(60)]
    del pieces
    return first, entry.render(job), mapped_files(), rss_mb(os.getpid()) - held_mb


def test_a_job_tells_its_own_peak_and_leaves_neither_a_map_nor_memory_behind(make_job, real_file):
    job = make_job(real_file("gfs", 6), "gfs", "2026012912", 6, ["t2m"])

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        first, second, mapped, more_mb = pool.submit(twice, job).result(timeout=120)

    assert len(first.frames) == len(second.frames) == 1
    assert first.peak_rss_mb < 400  # not the hoard of before
    assert mapped == []
    assert more_mb < 30
