"""Fake trees of control groups: real files, as the kernel writes them."""

import pytest

from twf_async.upkeep.cgroup import memory_room, own_group
from twf_async.upkeep.vitals import SystemSampler, full_avg10

GIB = 1 << 30


def write(path, **files):
    path.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (path / name.replace("__", ".")).write_text(f"{content}\n")


@pytest.fixture
def proc(tmp_path):
    def make(cgroup, *mounts):
        directory = tmp_path / "proc"
        (directory / "self").mkdir(parents=True)
        (directory / "self" / "cgroup").write_text(cgroup)
        (directory / "self" / "mountinfo").write_text("".join(f"{line}\n" for line in mounts))
        return directory

    return make


def test_the_tightest_ancestor_counts_in_version_2(tmp_path, proc):
    root = tmp_path / "fs"
    stat = f"anon 5\ninactive_file {2 * GIB}\nslab_reclaimable {GIB}"
    write(root / "site.slice", memory__max=8 * GIB, memory__high="max", memory__current=8 * GIB)
    (root / "site.slice" / "memory.stat").write_text(stat)
    unit = root / "site.slice" / "twf.service"
    write(
        unit, memory__max="max", memory__high=60 * GIB, memory__current=GIB, memory__stat="anon 1"
    )
    fake = proc(
        "0::/site.slice/twf.service\n", f"31 23 0:28 / {root} rw - cgroup2 cgroup2 rw,nsdelegate"
    )
    room = memory_room(fake)
    assert (room.limit, room.available, room.group.name) == (8 * GIB, 3 * GIB, "site.slice")
    assert own_group(fake) == unit


def test_using_more_never_raises_the_share_that_is_left(tmp_path, proc):
    root = tmp_path / "fs"
    unit = root / "site.slice" / "twf.service"
    fake = proc("0::/site.slice/twf.service\n", f"31 23 0:28 / {root} rw - cgroup2 cgroup2 rw")
    shares = []
    for used in range(11):
        write(root / "site.slice", memory__max=8 * GIB, memory__current=7 * GIB + used * GIB // 20)
        write(unit, memory__max=GIB, memory__current=used * GIB // 10)
        room = memory_room(fake)
        shares.append(room.available / room.limit)
    assert shares == sorted(shares, reverse=True)
    assert (shares[0], shares[-1]) == (1.0, 0.0)


def test_a_limit_below_what_is_used_leaves_nothing(tmp_path, proc):
    root = tmp_path / "fs"
    fake = proc("0::/a\n", f"31 23 0:28 / {root} rw - cgroup2 cgroup2 rw")
    write(root / "a", memory__max=GIB, memory__high=0, memory__current=3 * GIB, memory__stat="")
    assert (memory_room(fake).limit, memory_room(fake).available) == (0, 0)
    vitals = SystemSampler({}, proc=fake).sample()
    assert vitals.available_share == 0.0


def test_a_limit_that_is_changed_while_the_service_runs_counts_at_the_next_look(tmp_path, proc):
    root = tmp_path / "fs"
    fake = proc("0::/a\n", f"31 23 0:28 / {root} rw - cgroup2 cgroup2 rw")
    write(root / "a", memory__max="max", memory__current=GIB, memory__stat="")
    sampler = SystemSampler({}, proc=fake)
    seen = []
    for limit in ("max", 2 * GIB, GIB + GIB // 10, "max"):
        write(root / "a", memory__max=limit)
        seen.append(sampler.sample().memory_limit_mb)
    assert seen[1:3] == [2048.0, pytest.approx(1126.4)]
    assert seen[0] == seen[3]


def test_of_a_group_that_goes_away_the_one_above_still_counts(tmp_path, proc):
    root = tmp_path / "fs"
    write(root / "site.slice", memory__max=GIB, memory__current=0, memory__stat="")
    fake = proc("0::/site.slice/gone\n", f"31 23 0:28 / {root} rw - cgroup2 cgroup2 rw")
    assert (memory_room(fake).limit, own_group(fake).name) == (GIB, "site.slice")


def test_files_that_say_something_else_are_no_limit(tmp_path, proc):
    root = tmp_path / "fs"
    fake = proc("0::/a\n", f"31 23 0:28 / {root} rw - cgroup2 cgroup2 rw")
    write(root / "a", memory__max="-1", memory__high="", memory__current=5, memory__stat="x\n\n")
    assert memory_room(fake) is None
    write(root / "a", memory__max=GIB, memory__stat="inactive_file many\nslab_reclaimable")
    assert memory_room(fake).available == GIB - 5


def test_high_is_taken_where_it_is_below_max(tmp_path, proc):
    root = tmp_path / "fs"
    write(
        root / "a", memory__max=8 * GIB, memory__high=6 * GIB, memory__current=GIB, memory__stat=""
    )
    room = memory_room(proc("0::/a\n", f"31 23 0:28 / {root} rw - cgroup2 cgroup2 rw"))
    assert (room.limit, room.available) == (6 * GIB, 5 * GIB)


def test_version_1_is_read_beside_an_empty_version_2(tmp_path, proc):
    memory, unified = tmp_path / "memory", tmp_path / "unified"
    write(
        memory / "docker" / "x",
        memory__limit_in_bytes=2 * GIB,
        memory__usage_in_bytes=2 * GIB,
        memory__stat=f"cache 9\ntotal_inactive_file {GIB}",
    )
    write(memory, memory__limit_in_bytes=9223372036854771712, memory__usage_in_bytes=GIB)
    unified.mkdir()
    fake = proc(
        "4:memory:/docker/x\n1:cpu:/\n0::/\n",
        f"32 31 0:29 / {tmp_path}/cpu rw - cgroup cgroup rw,cpu",
        f"35 31 0:32 / {memory} rw - cgroup cgroup rw,memory",
        f"41 31 0:38 / {unified} rw - cgroup2 cgroup2 rw",
    )
    room = memory_room(fake)
    assert (room.limit, room.available) == (2 * GIB, GIB)


def test_a_container_sees_its_own_group_at_the_mount_itself(tmp_path, proc):
    root = tmp_path / "fs"
    write(root, memory__max=GIB, memory__current=0, memory__stat="")
    fake = proc("0::/docker/x\n", f"31 23 0:28 /docker/x {root} rw - cgroup2 cgroup2 rw")
    assert memory_room(fake).limit == GIB


def test_no_limit_anywhere_is_no_room(tmp_path, proc):
    root = tmp_path / "fs"
    write(root / "a", memory__max="max", memory__high="max", memory__current=5, memory__stat="")
    fake = proc("0::/a\n", f"31 23 0:28 / {root} rw - cgroup2 cgroup2 rw")
    assert memory_room(fake) is None
    assert memory_room(tmp_path / "nowhere") is None


def test_pressure_is_read_from_the_own_group_first(tmp_path, proc):
    root = tmp_path / "fs"
    text = "some avg10=30.00 avg60=1 avg300=0 total=9\nfull avg10=12.50 avg60=1 avg300=0 total=9"
    write(root / "a", memory__pressure=text)
    fake = proc("0::/a\n", f"31 23 0:28 / {root} rw - cgroup2 cgroup2 rw")
    write(fake / "pressure", io="some avg10=5.00 total=1\nfull avg10=4.00 total=1")
    vitals = SystemSampler({"cache_dir": tmp_path}, proc=fake).sample()
    assert (vitals.memory_stall_pct, vitals.io_stall_pct) == (12.5, 4.0)
    assert vitals.disk_free_gb > 0
    assert 0 < vitals.memory_available_mb <= vitals.memory_limit_mb


@pytest.mark.parametrize(
    "text",
    ["", "some avg10=1.00", "full total=5", "\n", "\n\nfull", "full avg10=", "full avg10=x avg60"],
)
def test_a_pressure_file_without_the_figure_is_none(text):
    assert full_avg10(text) is None


def test_the_figure_of_a_pressure_file_is_that_of_the_full_line_of_ten_seconds():
    text = "some avg10=9.00 avg60=8.00 total=7\n\nfull avg10=1.25 avg60=8.00 total=7\n"
    assert full_avg10(text) == 1.25


def test_pressure_that_cannot_be_read_is_not_known_rather_than_none(tmp_path, proc):
    root = tmp_path / "fs"
    (root / "a" / "memory.pressure").mkdir(parents=True)  # EISDIR, as ENOTSUP of a kernel
    fake = proc("0::/a\n", f"31 23 0:28 / {root} rw - cgroup2 cgroup2 rw")
    vitals = SystemSampler({}, proc=fake).sample()
    assert (vitals.memory_stall_pct, vitals.io_stall_pct) == (None, None)
