"""ARI's operations on bridges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from twisted.internet.defer import Deferred, DeferredList

from channel_aa.simulator.api import Request, Router, require
from channel_aa.simulator.bridges import TYPES, Bridge
from channel_aa.simulator.responses import RefusedError

if TYPE_CHECKING:
    from channel_aa.simulator.channels import Channel

route = Router()


@route("GET /bridges", "list", "List[Bridge]")
def list_bridges(request: Request) -> list[dict[str, Any]]:
    """List the bridges."""
    return [each.snapshot() for each in request.state.bridges.values()]


@route("POST /bridges", "create", "Bridge", query="type bridgeId name")
@route("POST /bridges/{bridgeId}", "createWithId", "Bridge", query="type name")
def create_bridge(request: Request) -> dict[str, Any]:
    """Create a bridge."""
    bridge_id = request.text("bridgeId") or str(uuid4())
    if bridge_id in request.state.bridges:
        message = f"Bridge with id '{bridge_id}' already exists"
        raise RefusedError(409, message)
    types = request.texts("type") or ["mixing"]
    if not TYPES.issuperset(types):
        raise RefusedError(500, "Unable to create bridge")
    bridge = Bridge(
        request.state,
        request.state.bridges,
        bridge_id=bridge_id,
        name=request.text("name"),
        bridge_type="holding" if "holding" in types else "mixing",
    )
    return bridge.snapshot()


@route("GET /bridges/{bridgeId}", "get", "Bridge")
def get_bridge(request: Request) -> dict[str, Any]:
    """Describe a bridge."""
    return _bridge(request).snapshot()


@route("DELETE /bridges/{bridgeId}", "destroy")
def destroy_bridge(request: Request) -> None:
    """Destroy a bridge."""
    _bridge(request).destroy()


@route("POST /bridges/{bridgeId}/addChannel", "addChannel", query="channel!")
def add_channels(request: Request) -> Deferred[None]:
    """Add channels to a bridge."""
    bridge = _bridge(request)
    channels = _channels(request)
    return _all_done([each.enter_bridge(bridge) for each in channels])


@route("POST /bridges/{bridgeId}/removeChannel", "removeChannel", query="channel!")
def remove_channels(request: Request) -> Deferred[None]:
    """Remove channels from a bridge."""
    bridge = _bridge(request)
    channels = _channels(request)
    if any(each.bridge is not bridge for each in channels):
        raise RefusedError(422, "Channel not in this bridge")
    return _all_done([each.leave_bridge_in_turn() for each in channels])


def _bridge(request: Request) -> Bridge:
    return require(request.state.bridges.get(request.text("bridgeId")), "Bridge")


def _channels(request: Request) -> list[Channel]:
    names = request.texts("channel")
    if not names:
        raise RefusedError(400, "Missing parameter channel")
    channels = [request.state.channels.get(name) for name in names]
    found = [each for each in channels if each is not None]
    if len(found) < len(names):
        raise RefusedError(400, "Channel not found")
    if any(each.application is None for each in found):
        raise RefusedError(422, "Channel not in Stasis application")
    return found


def _all_done(commands: list[Deferred[None]]) -> Deferred[None]:
    """Fire when every channel has carried out its command, in its own turn."""

    def check(results: list[tuple[bool, Any]]) -> None:
        for succeeded, result in results:
            if not succeeded:
                result.raiseException()

    return DeferredList(commands, consumeErrors=True).addCallback(check)
