"""What /metrics says of the machine: names, units and words as Prometheus has them."""

import math
import re

from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.upkeep.looks import WELL, disk, look
from twf_async.upkeep.disks import GB, Disk
from twf_async.upkeep.metrics import show_vitals

UNITS = ("_bytes", "_ratio", "_seconds", "_blocked", "_free", "_paused", "_held", "_unseen")


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels)


def test_shares_are_ratios_and_sizes_are_bytes():
    show_vitals(look(memory_stall_pct=12.5, io_stall_pct=50.0, iowait_pct=25.0, swap_used_pct=10.0))
    assert value("twf_memory_stall_ratio") == 0.125
    assert value("twf_io_stall_ratio") == 0.5
    assert value("twf_iowait_ratio") == 0.25
    assert value("twf_swap_used_ratio") == 0.1
    assert value("twf_memory_available_bytes") == 500 * 2**20


def test_a_stall_that_the_kernel_does_not_tell_is_not_a_number_and_not_calm():
    show_vitals(WELL)
    assert math.isnan(value("twf_memory_stall_ratio"))
    assert math.isnan(value("twf_io_stall_ratio"))


def test_each_directory_has_the_room_of_its_own_disk():
    disks = (
        disk(3.0, 20.0, ("state_dir", "cache_dir"), files_free=7, files_total=9),
        Disk(("publish_dir",), fault="Input/output error"),
    )
    show_vitals(look(disks=disks))
    assert value("twf_disk_free_bytes", directory="state_dir") == 3 * GB
    assert value("twf_disk_free_bytes", directory="cache_dir") == 3 * GB
    assert value("twf_disk_size_bytes", directory="cache_dir") == 20 * GB
    assert value("twf_disk_files_free", directory="cache_dir") == 7
    assert math.isnan(value("twf_disk_free_bytes", directory="publish_dir"))


def test_every_metric_of_upkeep_has_a_unit_and_a_sentence():
    families = text_string_to_metric_families(generate_latest().decode())
    ours = [f for f in families if re.match(r"twf_(memory|io|swap|disk|watchdog)", f.name)]
    assert len(ours) > 12
    for family in ours:
        assert family.documentation.endswith("."), family.name
        assert family.type in {"gauge", "counter"}
        assert family.name.endswith(UNITS) or family.name.startswith("twf_watchdog_changes")
        assert "percent" not in family.name
