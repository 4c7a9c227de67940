"""How much one job may send to a cluster: all its files together, not each of them."""

import shutil
from dataclasses import replace

import pytest

from twf_async.farm.remote.shipping import MB, TooLarge, ship


def test_what_may_be_sent_is_counted_over_all_files_of_a_job(make_job, real_file, tmp_path):
    one, other = real_file("gfs", 6), tmp_path / "other.grib2"
    shutil.copy(one, other)
    job = make_job(one, "gfs", "2026012912", 6, ["t2m", "t850"])
    first, second = job.tasks
    inputs = {
        role: tuple(replace(source, path=str(other)) for source in sources)
        for role, sources in second.inputs.items()
    }
    job = replace(job, tasks=(first, replace(second, inputs=inputs)))
    sizes = [file.sent_bytes for file in ship(job, limit_mb=100).files]
    assert len(sizes) == 2

    assert len(ship(job, limit_mb=sum(sizes) / MB).files) == 2
    with pytest.raises(TooLarge):
        ship(job, limit_mb=(sum(sizes) - 1) / MB)
