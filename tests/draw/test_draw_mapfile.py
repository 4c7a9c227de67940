"""Arrays on disk, mapped into memory."""

from pathlib import Path

import numpy as np
import pytest

from render_farm.draw import mapfile

STATUS = Path("/proc/self/status")


def mapped_kb():
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("RssFile"))
    return int(line.split()[1])


@pytest.mark.skipif(not STATUS.exists(), reason="the system does not tell what is mapped")
def test_pages_that_rest_are_no_memory_of_the_process_until_they_are_used_again(tmp_path):
    path, kept = tmp_path / "some.pixelmap", np.arange(5_000_000, dtype=np.float32)
    mapfile.save(path, {}, {"columns": kept, "rows": kept})
    _, arrays = mapfile.load(path)  # reads all of it for its checksums
    before = mapped_kb()

    mapfile.rest(arrays["rows"][::2])

    assert before - mapped_kb() > 35_000
    np.testing.assert_array_equal(arrays["columns"], kept)
    assert mapped_kb() > before - 25_000


def test_an_array_of_no_file_does_not_rest():
    array = np.arange(10)
    mapfile.rest(array[2:])
    np.testing.assert_array_equal(array, range(10))
