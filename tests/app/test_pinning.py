"""Pinning without a service, straight at the published tree."""

import asyncio
from dataclasses import replace

import pytest

from tests.publish.conftest import staged as staged  # noqa: PLC0414 - a fixture of that room
from tests.publish.test_keeping_and_evicting import CYCLE, opened, publish
from twf_async.app.pinning import pin_alone
from twf_async.publish.lock import TreeInUse
from twf_async.publish.pins import BadPin
from twf_async.settings.load import load
from twf_async.settings.service import ServiceSettings


async def test_a_run_is_pinned_and_let_go_without_a_service(config_dir, tmp_path, staged):
    settings = replace(load(config_dir), service=ServiceSettings(publish_dir=tmp_path))
    async with opened(tmp_path) as tree:
        await publish(tree, staged)
    await asyncio.to_thread(pin_alone, settings, "gfs", CYCLE, "the storm")
    async with opened(tmp_path) as tree:
        assert tree.pin_of("gfs", CYCLE).reason == "the storm"
        with pytest.raises(TreeInUse):
            await asyncio.to_thread(pin_alone, settings, "gfs", CYCLE, None)
    await asyncio.to_thread(pin_alone, settings, "gfs", CYCLE, None)
    async with opened(tmp_path) as tree:
        assert tree.pinned("gfs") == frozenset()
    with pytest.raises(BadPin, match="is not pinned"):
        await asyncio.to_thread(pin_alone, settings, "gfs", CYCLE, None)


async def test_a_run_of_a_model_that_was_taken_out_of_the_configuration_can_be_pinned(
    config_dir, tmp_path, staged
):
    configured = load(config_dir)
    settings = replace(
        configured,
        service=ServiceSettings(publish_dir=tmp_path),
        catalog=configured.catalog.model_copy(update={"models": {}}),
    )
    async with opened(tmp_path) as tree:
        await publish(tree, staged)

    await asyncio.to_thread(pin_alone, settings, "gfs", CYCLE, "the storm")

    async with opened(tmp_path) as tree:
        assert tree.pinned("gfs") == {CYCLE}
