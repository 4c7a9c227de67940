"""A configuration takes the place of another whole, or not at all; what is neither is told so."""

import os
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from twf_async.app.in_force import InForce, Steps
from twf_async.app.reloads import ReloadBroke, ReloadFailed
from twf_async.errors import BadConfiguration
from twf_async.farm.errors import FarmClosed
from twf_async.settings.load import load

OLD = {"t2m": ("#000000",)}
NEW = {"t2m": ("#ffffff",)}


class Change:
    """A change of the configuration; *fault* befalls it at a step."""

    def __init__(self, config_dir, step="", fault=None):
        environ = {**os.environ, "TWF_STYLE__PALETTE": "accessible", "TWF_LOGS__LEVEL": "debug"}
        self.fresh = load(config_dir, environ)
        self.done = []
        self._step, self._fault = step, fault

    def _do(self, step):
        if step == self._step:
            raise self._fault
        self.done.append(step)

    @property
    def steps(self):
        def read():
            self._do("read")
            return self.fresh

        async def colours(fresh):
            self._do("colours")
            return NEW

        async def prepare(fresh):
            self._do("prepare")

        async def take(fresh):
            self._do("take")

        return Steps(read, colours, prepare, take)


@pytest.fixture
def in_force(config_dir):
    in_force = InForce(load(config_dir, os.environ))
    in_force.drawn(OLD)
    with capture_logs():  # drawing a traceback for a terminal takes seconds
        yield in_force


async def test_a_change_is_prepared_before_it_is_in_force_and_taken_afterwards(
    in_force, config_dir
):
    change = Change(config_dir)

    await in_force.reload(change.steps)

    assert change.done == ["read", "colours", "prepare", "take"]
    assert in_force.settings() is change.fresh
    assert in_force.colours() == NEW


@pytest.mark.parametrize("step", ["read", "colours", "prepare"])
@pytest.mark.parametrize(
    "fault", [BadConfiguration("web.prot: unknown key"), FarmClosed("stopping"), KeyError("bug")]
)
async def test_what_fails_before_leaves_the_old_one_in_force_in_every_part(
    step, fault, in_force, config_dir
):
    old, change = in_force.settings(), Change(config_dir, step, fault)

    with pytest.raises((BadConfiguration, ReloadFailed)):
        await in_force.reload(change.steps)

    assert "take" not in change.done
    assert in_force.settings() is old
    assert in_force.colours() == OLD


@pytest.mark.parametrize("fault", [FarmClosed("stopping"), KeyError("bug")])
async def test_a_part_that_does_not_take_it_is_no_refusal(fault, in_force, config_dir):
    change = Change(config_dir, "take", fault)

    with pytest.raises(ReloadBroke, match="is in force, but not every part took it"):
        await in_force.reload(change.steps)

    assert in_force.settings() is change.fresh
    assert in_force.colours() == NEW


async def test_what_waits_for_a_start_is_told_until_it_is_started_or_taken_back(
    in_force, config_dir
):
    began = in_force.settings()
    change = Change(config_dir)
    service = began.service.model_copy(
        update={"farm": began.service.farm.model_copy(update={"workers": 7})}
    )

    told = []
    for change.fresh in (replace(began, service=service), replace(began, service=service), began):
        told.append((await in_force.reload(change.steps)).restart_needed)

    assert told == [("farm.workers",), ("farm.workers",), ()]
