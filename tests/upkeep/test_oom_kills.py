"""How many processes the kernel killed for want of memory: files as the kernel writes them."""

import pytest

from twf_async.upkeep.cgroup import oom_kills

EVENTS = "low 0\nhigh 12\nmax 4\noom 3\noom_kill 2\noom_group_kill 0\n"
CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"


@pytest.fixture
def machine(tmp_path):
    """A /proc with a control group of each version, and what the whole machine counts."""

    def make(*, version, events=None):
        proc, mount = tmp_path / "proc", tmp_path / "fs"
        group = mount / "site.slice" / "twf.service"
        group.mkdir(parents=True)
        (proc / "self").mkdir(parents=True)
        (proc / "vmstat").write_text("nr_free_pages 9\noom_kill 70\n")
        hierarchy = "0::" if version == 2 else "4:memory:"
        (proc / "self" / "cgroup").write_text(f"{hierarchy}/site.slice/twf.service\n")
        kind = "cgroup2 cgroup2 rw" if version == 2 else "cgroup cgroup rw,memory"
        (proc / "self" / "mountinfo").write_text(f"31 23 0:28 / {mount} rw - {kind}\n")
        if events is not None:
            name = "memory.events" if version == 2 else "memory.oom_control"
            (group / name).write_text(events)
        return proc

    return make


def test_the_services_own_group_counts(machine):
    assert oom_kills(machine(version=2, events=EVENTS)) == 2


def test_in_version_1_too(machine):
    assert oom_kills(machine(version=1, events=CONTROL)) == 5


def test_where_the_group_does_not_count_the_machine_does(machine):
    assert oom_kills(machine(version=2)) == 70


def test_a_kernel_that_counts_nowhere_has_killed_nobody(tmp_path):
    assert oom_kills(tmp_path / "nowhere") == 0


def test_this_machine_can_be_asked():
    assert oom_kills() >= 0
