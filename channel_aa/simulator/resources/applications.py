"""ARI's operations on Stasis applications: event filters and subscriptions.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.simulator.api import RefusedError, Response
from channel_aa.simulator.resources.lookups import find_application
from channel_aa.simulator.routing import Parameter, Router

if TYPE_CHECKING:
    from channel_aa.simulator.api import Parameters
    from channel_aa.simulator.bridges import Bridge
    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.state import PbxState

ROUTER = Router()


@ROUTER.route("GET /applications", "list", "List[Application]")
def list_applications(state: PbxState, _parameters: Parameters) -> Response:
    """List the applications."""
    return Response(
        content=[each.snapshot() for each in state.bus.applications.values()]
    )


@ROUTER.route("GET /applications/{applicationName}", "get", "Application")
def get_application(state: PbxState, parameters: Parameters) -> Response:
    """Describe an application."""
    application = find_application(state, parameters)
    return Response(content=application.snapshot())


@ROUTER.route(
    "PUT /applications/{applicationName}/eventFilter",
    "filter",
    "Application",
    others=[Parameter(name="filter", type="object", where="body")],
)
def filter_events(state: PbxState, parameters: Parameters) -> Response:
    """Set which types of events an application gets."""
    application = find_application(state, parameters)
    application.filter(
        allowed=parameters.types("allowed"), disallowed=parameters.types("disallowed")
    )
    return Response(content=application.snapshot())


@ROUTER.route(
    "POST /applications/{applicationName}/subscription",
    "subscribe",
    "Application",
    query="eventSource[]!",
)
def subscribe(state: PbxState, parameters: Parameters) -> Response:
    """Subscribe an application to channels and bridges."""
    application = find_application(state, parameters)
    for source in _sources(state, parameters):
        if source is None:
            raise RefusedError(422, "Event source does not exist")
        source.subscribe(application)
    return Response(content=application.snapshot())


@ROUTER.route(
    "DELETE /applications/{applicationName}/subscription",
    "unsubscribe",
    "Application",
    query="eventSource[]!",
)
def unsubscribe(state: PbxState, parameters: Parameters) -> Response:
    """Undo `subscribe`."""
    application = find_application(state, parameters)
    for source in _sources(state, parameters):
        if source is None:
            raise RefusedError(422, "Event source was not subscribed to")
        source.unsubscribe(application)
    return Response(content=application.snapshot())


def _sources(state: PbxState, parameters: Parameters) -> list[Channel | Bridge | None]:
    """Find the channels and bridges in ``eventSource``; None: it does not exist."""
    named = [each.partition(":") for each in parameters.texts("eventSource")]
    if not named:
        raise RefusedError(400, "Missing parameter eventSource")
    found: list[Channel | Bridge | None] = []
    for scheme, _, name in named:
        match scheme:
            case "channel":
                found.append(state.channels.get(name))
            case "bridge":
                found.append(state.bridges.get(name))
            case _:
                raise RefusedError(400, "Invalid event source URI scheme")
    return found
