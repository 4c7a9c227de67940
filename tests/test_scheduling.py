"""A test that costs its process has failed, once; what was left of its module goes on elsewhere."""

from types import SimpleNamespace

import pytest

pytest.importorskip("xdist", reason="pytest-xdist is not installed")

from xdist.remote import Producer

from tests.scheduling import Modules

TESTS = [f"tests/{room}::test_{name}" for room in ("a/test_a.py", "b/test_b.py") for name in "123"]


class Node:
    """A process that runs tests, as xdist sees it; `given`: what it has been told to run."""

    def __init__(self, name):
        self.gateway = SimpleNamespace(id=name)
        self.shutting_down = False
        self.given = []

    def send_runtest_some(self, numbers):
        self.given += [TESTS[number] for number in numbers]

    def shutdown(self):
        self.shutting_down = True


@pytest.fixture
def modules():
    """The scheduler of two processes."""
    options = {"tx": ["popen", "popen"], "maxprocesses": None}
    config = SimpleNamespace(getvalue=options.get, option=SimpleNamespace())
    return Modules(config, Producer("test", enabled=False))


def joins(modules, name):
    node = Node(name)
    modules.add_node(node)
    return node


def test_what_costs_its_process_is_not_tried_by_the_next_one_and_what_was_left_is(modules):
    first, second = joins(modules, "first"), joins(modules, "second")
    for node in (first, second):
        modules.add_node_collection(node, TESTS)
    modules.schedule()
    modules.mark_test_complete(first, 0)

    crashed = [modules.remove_node(first)]
    third = joins(modules, "third")  # it collects while another goes
    crashed.append(modules.remove_node(second))
    modules.add_node_collection(third, TESTS)
    modules.schedule()
    modules.mark_test_complete(third, 2)

    assert crashed == [TESTS[1], TESTS[3]]
    assert third.given == [TESTS[2], *TESTS[4:]]
