import os
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.upkeep.test_cleaning import keep
from twf_async.upkeep.cached_files import CachedFile, files_to_delete, find_files


@given(
    st.lists(
        st.builds(
            CachedFile,
            st.none(),
            st.integers(0, 100),
            st.floats(0, 100),
            st.booleans(),
        ),
        max_size=20,
    ),
    st.floats(0, 100),
    st.integers(0, 1000),
)
def test_what_is_too_old_or_too_much_goes_oldest_first(files, max_age_s, max_bytes):
    going = files_to_delete(files, max_age_s=max_age_s, max_bytes=max_bytes)
    assert not any(file.active for file in going)
    left = [file for file in files if file not in going]
    idle = [file for file in left if not file.active]
    assert all(file.age_s <= max_age_s for file in idle)
    assert sum(file.bytes for file in left) <= max_bytes or not [f for f in idle if f.bytes]
    assert [f.age_s for f in going] == sorted((f.age_s for f in going), reverse=True)


def test_a_download_is_as_old_as_the_last_change_of_it_or_its_record(tmp_path):
    data = keep(tmp_path, "gfs/2026012912/f000.aa", age_s=600.0)
    now_s = time.time()
    ages = []
    for touched in (data, data.with_suffix(".json")):
        os.utime(data, (now_s - 601.0,) * 2)
        os.utime(touched, (now_s - 60.0,) * 2)
        ages += [file.age_s for file in find_files(tmp_path, active=(), now_s=now_s)]

    assert ages == pytest.approx([60.0, 60.0])


def test_directories_that_another_cleaning_removes_end_no_look(tmp_path):
    ended = threading.Event()

    def come_and_go():
        while not ended.is_set():
            for number in range(20):
                (tmp_path / "gfs" / str(number)).mkdir(parents=True, exist_ok=True)
            for number in range(20):
                (tmp_path / "gfs" / str(number)).rmdir()

    other = threading.Thread(target=come_and_go)
    other.start()
    try:
        for _ in range(300):
            assert find_files(tmp_path, active=(), now_s=time.time()) == ()
    finally:
        ended.set()
        other.join()


def test_a_name_that_the_disk_does_not_show_hides_no_other(tmp_path, monkeypatch):
    keep(tmp_path, "gfs/2026012912/f000.aa")
    (tmp_path / "gfs" / "2026012912" / "f003.aa.grib2").write_bytes(b"x")
    real = os.walk

    def with_a_ghost(root):
        """What readdir() names and lstat() does not find, or fails at: a damaged directory."""
        for place, folders, names in real(root):
            yield place, folders, [*names, "f006.aa.grib2", "n" * 300] if names else names

    monkeypatch.setattr(os, "walk", with_a_ghost)
    found = find_files(tmp_path, active=(), now_s=time.time())
    assert sorted(file.path.name for file in found) == ["f000.aa.grib2", "f003.aa.grib2"]
