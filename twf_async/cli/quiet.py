"""A command tells what it did in sentences; its parts log only for who asks for that."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import click
import structlog

from twf_async.cli.options import prepare
from twf_async.cli.trouble import Trouble
from twf_async.pipeline.gate import DispatchGate
from twf_async.settings.load import Settings

LEVEL = "TWF_LOGS__LEVEL"
SILENT = "critical"  # no worker logs at it
LOOK_S = 0.5


def prepare_quietly(config_dir: str | None) -> Settings:
    """Load the settings; log lines only with --debug, or where the environment sets their level."""
    settings = prepare(config_dir)
    if click.get_current_context().find_root().params.get("debug") or LEVEL in os.environ:
        return settings
    structlog.configure(processors=[Trouble()])
    service = settings.service
    logs = service.logs.model_copy(update={"level": SILENT})
    return replace(settings, service=service.model_copy(update={"logs": logs}))


@asynccontextmanager
async def holds_told(gate: DispatchGate, tell: Callable[[str], None]) -> AsyncIterator[None]:
    """While the block runs, *tell* why nothing may start whenever that changes; "" when it may."""
    task = asyncio.create_task(_tell_holds(gate, tell))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _tell_holds(gate: DispatchGate, tell: Callable[[str], None]) -> None:
    told = ""
    while True:
        held = gate.paused_because or gate.fetch_held_because
        if held != told:
            told = held
            tell(held)
        await asyncio.sleep(LOOK_S)
