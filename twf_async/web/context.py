"""What the web part is given: it looks nothing up and owns nothing but its routes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from twf_async.clock import Clock
from twf_async.publish.events import EventBus
from twf_async.publish.tree import PublishedTree
from twf_async.settings.load import Settings


@dataclass(frozen=True, slots=True)
class WebContext:
    """The rest of the service, as the routes see it.

    settings   the configuration in force; asked anew for every request, so a reload shows at once
    bin_colours  scale key -> colour of each bin ("#rrggbb", "" transparent) as the renderer has it
    status     freshness, slots, watchdog and queue, JSON-ready
    not_ready  reasons why traffic should not come here yet; empty means ready
    stuck      parts that do not get on and would after a start; empty means well
    """

    settings: Callable[[], Settings]
    tree: PublishedTree
    events: EventBus
    clock: Clock
    bin_colours: Callable[[], Mapping[str, tuple[str, ...]]]
    status: Callable[[], dict[str, Any]]
    not_ready: Callable[[], list[str]]
    stuck: Callable[[], list[str]] = list


CONTEXT = web.AppKey("context", WebContext)


def context_of(request: web.Request) -> WebContext:
    """The context of the application that serves *request*."""
    return request.app[CONTEXT]
