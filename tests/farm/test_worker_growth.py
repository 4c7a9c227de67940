"""A long-lived worker holds after many jobs what it held after a few."""

from dataclasses import replace

import psutil

MB = 1 << 20


async def test_a_worker_holds_no_more_after_thirty_jobs_than_after_ten(
    start_farm, make_job, real_file, tmp_path
):
    farm = await start_farm(1, max_tasks_per_child=50)
    job = make_job(real_file("gfs", 6), "gfs", "2026012912", 6, ["t2m"], size=(240, 180))
    held, pids = [], set()

    for number in range(30):
        outcome = await farm.render(replace(job, staging_dir=str(tmp_path / f"{number}")))
        assert len(outcome.frames) == 1
        pids.add(outcome.pid)
        # Its own alone: what it shares counts more when other programs that share it end.
        held.append(psutil.Process(outcome.pid).memory_full_info().uss / MB)

    assert len(pids) == 1
    assert held[29] - held[9] < 10
    assert held[29] > 20
