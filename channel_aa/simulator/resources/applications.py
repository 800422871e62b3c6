"""ARI's operations on Stasis applications: event filters and subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channel_aa.simulator.api import Request, Router, require
from channel_aa.simulator.responses import RefusedError

if TYPE_CHECKING:
    from channel_aa.simulator.bridges import Bridge
    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.event_bus import Application

route = Router()


@route("GET /applications", "list", "List[Application]")
def list_applications(request: Request) -> list[dict[str, Any]]:
    """List the applications."""
    return [each.snapshot() for each in request.state.bus.applications.values()]


@route("GET /applications/{applicationName}", "get", "Application")
def get_application(request: Request) -> dict[str, Any]:
    """Describe an application."""
    application = _application(request)
    return application.snapshot()


@route("PUT /applications/{applicationName}/eventFilter", "filter", "Application")
def filter_events(request: Request) -> dict[str, Any]:
    """Set which types of events an application gets."""
    application = _application(request)
    application.filter(
        allowed=request.types("allowed"), disallowed=request.types("disallowed")
    )
    return application.snapshot()


@route(
    "POST /applications/{applicationName}/subscription",
    "subscribe",
    "Application",
    query="eventSource[]!",
)
def subscribe(request: Request) -> dict[str, Any]:
    """Subscribe an application to channels and bridges."""
    application = _application(request)
    for source in _sources(request):
        if source is None:
            raise RefusedError(422, "Event source does not exist")
        source.subscribe(application)
    return application.snapshot()


@route(
    "DELETE /applications/{applicationName}/subscription",
    "unsubscribe",
    "Application",
    query="eventSource[]!",
)
def unsubscribe(request: Request) -> dict[str, Any]:
    """Undo `subscribe`."""
    application = _application(request)
    for source in _sources(request):
        if source is None:
            raise RefusedError(422, "Event source was not subscribed to")
        source.unsubscribe(application)
    return application.snapshot()


def _application(request: Request) -> Application:
    applications = request.state.bus.applications
    return require(applications.get(request.text("applicationName")), "Application")


def _sources(request: Request) -> list[Channel | Bridge | None]:
    """Find the channels and bridges in ``eventSource``; None: it does not exist."""
    named = [each.partition(":") for each in request.texts("eventSource")]
    if not named:
        raise RefusedError(400, "Missing parameter eventSource")
    found: list[Channel | Bridge | None] = []
    for scheme, _, name in named:
        match scheme:
            case "channel":
                found.append(request.state.channels.get(name))
            case "bridge":
                found.append(request.state.bridges.get(name))
            case _:
                raise RefusedError(400, "Invalid event source URI scheme")
    return found
