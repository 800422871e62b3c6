"""ARI's operations on bridges.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from twisted.internet.defer import FirstError, gatherResults

from channel_aa.simulator.api import NO_CONTENT, RefusedError, Response
from channel_aa.simulator.bridges import TYPES
from channel_aa.simulator.resources.lookups import find_bridge, respond_when_done
from channel_aa.simulator.routing import Router

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from channel_aa.simulator.api import Parameters
    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.state import PbxState

ROUTER = Router()


@ROUTER.route("GET /bridges", "list", "List[Bridge]")
def list_bridges(state: PbxState, _parameters: Parameters) -> Response:
    """List the bridges."""
    return Response(content=[each.snapshot() for each in state.bridges.values()])


@ROUTER.route("POST /bridges", "create", "Bridge", query="type bridgeId name")
@ROUTER.route("POST /bridges/{bridgeId}", "createWithId", "Bridge", query="type name")
def create_bridge(state: PbxState, parameters: Parameters) -> Response:
    """Create a bridge."""
    bridge_id = parameters.text("bridgeId") or str(uuid4())
    if bridge_id in state.bridges:
        message = f"Bridge with id '{bridge_id}' already exists"
        raise RefusedError(409, message)
    types = parameters.texts("type") or ["mixing"]
    if not TYPES.issuperset(types):
        raise RefusedError(500, "Unable to create bridge")
    kind = "holding" if "holding" in types else "mixing"
    bridge = state.factory.new_bridge(
        bridge_id, name=parameters.text("name"), kind=kind
    )
    return Response(content=bridge.snapshot())


@ROUTER.route("GET /bridges/{bridgeId}", "get", "Bridge")
def get_bridge(state: PbxState, parameters: Parameters) -> Response:
    """Describe a bridge."""
    return Response(content=find_bridge(state, parameters).snapshot())


@ROUTER.route("DELETE /bridges/{bridgeId}", "destroy")
def destroy_bridge(state: PbxState, parameters: Parameters) -> Response:
    """Destroy a bridge."""
    find_bridge(state, parameters).destroy()
    return NO_CONTENT


@ROUTER.route("POST /bridges/{bridgeId}/addChannel", "addChannel", query="channel!")
def add_channels(state: PbxState, parameters: Parameters) -> Deferred[Response]:
    """Add channels to a bridge."""
    bridge = find_bridge(state, parameters)
    channels = _channels(state, parameters)
    return _respond_when_all_done([each.enter_bridge(bridge) for each in channels])


@ROUTER.route(
    "POST /bridges/{bridgeId}/removeChannel", "removeChannel", query="channel!"
)
def remove_channels(state: PbxState, parameters: Parameters) -> Deferred[Response]:
    """Remove channels from a bridge."""
    bridge = find_bridge(state, parameters)
    channels = _channels(state, parameters)
    if any(each.bridge is not bridge for each in channels):
        raise RefusedError(422, "Channel not in this bridge")
    return _respond_when_all_done([each.leave_bridge_in_turn() for each in channels])


def _channels(state: PbxState, parameters: Parameters) -> list[Channel]:
    names = parameters.texts("channel")
    if not names:
        raise RefusedError(400, "Missing parameter channel")
    channels = [state.channels.get(name) for name in names]
    found = [each for each in channels if each is not None]
    if len(found) < len(names):
        raise RefusedError(400, "Channel not found")
    if any(each.application is None for each in found):
        raise RefusedError(422, "Channel not in Stasis application")
    return found


def _respond_when_all_done(commands: list[Deferred[None]]) -> Deferred[Response]:
    """Answer when every channel has carried out its command, in its own turn."""

    def unwrap(failure: Failure) -> Failure:
        error = failure.value
        return error.subFailure if isinstance(error, FirstError) else failure

    everyone = gatherResults(commands, consumeErrors=True)
    return respond_when_done(everyone.addCallbacks(lambda _: None, unwrap), status=422)
