"""ARI's operations on Stasis applications: event filters and subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channel_aa.simulator.api import Request, Router, require
from channel_aa.simulator.responses import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channel_aa.simulator.event_bus import Application, EventSource

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
    for source in _sources(request, missing="Event source does not exist"):
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
    for source in _sources(request, missing="Event source was not subscribed to"):
        source.unsubscribe(application)
    return application.snapshot()


def _application(request: Request) -> Application:
    applications = request.state.bus.applications
    return require(applications.get(request.text("applicationName")), "Application")


def _sources(request: Request, *, missing: str) -> list[EventSource]:
    """Find the channels and bridges in ``eventSource``.

    Raises:
        RefusedError: one does not exist, with that message; or none is named.
    """
    named = [each.partition(":") for each in request.texts("eventSource")]
    if not named:
        raise RefusedError(400, "Missing parameter eventSource")
    state = request.state
    kinds: dict[str, Mapping[str, EventSource]]
    kinds = {"channel": state.channels, "bridge": state.bridges}
    if any(kind not in kinds for kind, _, _ in named):
        raise RefusedError(400, "Invalid event source URI scheme")
    found = [kinds[kind].get(source_id) for kind, _, source_id in named]
    if None in found:
        raise RefusedError(422, missing)
    return [each for each in found if each is not None]
