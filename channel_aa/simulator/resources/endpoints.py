"""ARI's operations on endpoints: the phones that can be dialled.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.simulator.api import RefusedError, Response
from channel_aa.simulator.routing import Router

if TYPE_CHECKING:
    from channel_aa.simulator.api import Parameters
    from channel_aa.simulator.phone_behaviour import PhoneBehaviour
    from channel_aa.simulator.state import PbxState

ROUTER = Router()


@ROUTER.route("GET /endpoints", "list", "List[Endpoint]")
def list_endpoints(state: PbxState, _parameters: Parameters) -> Response:
    """List the endpoints."""
    return Response(content=[_endpoint(*each) for each in state.phones.known()])


@ROUTER.route("GET /endpoints/{tech}", "listByTech", "List[Endpoint]")
def list_endpoints_by_technology(state: PbxState, parameters: Parameters) -> Response:
    """List the endpoints of a technology."""
    technology = parameters.text("tech")
    found = [
        _endpoint(*each)
        for each in state.phones.known()
        if each[0].lower() == technology.lower()
    ]
    if not found:
        message = f"No Endpoints found - invalid tech {technology}"
        raise RefusedError(404, message)
    return Response(content=found)


@ROUTER.route("GET /endpoints/{tech}/{resource}", "get", "Endpoint")
def get_endpoint(state: PbxState, parameters: Parameters) -> Response:
    """Describe an endpoint."""
    technology, resource = parameters.text("tech"), parameters.text("resource")
    for known in state.phones.known():
        if (known[0].lower(), known[1]) == (technology.lower(), resource):
            return Response(content=_endpoint(*known))
    raise RefusedError(404, "Endpoint not found")


def _endpoint(
    technology: str, resource: str, phone: PhoneBehaviour
) -> dict[str, object]:
    return {
        "technology": technology,
        "resource": resource,
        "state": "online" if phone.is_reachable else "offline",
        "channel_ids": [],
    }
